"""``sepcalc report``: one document about a network, for a meeting, a repository or a paper."""

import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from sepcalc import __version__
from sepcalc.cli.flags import flag, flat, ignore, option
from sepcalc.cli.options import command_app, examples, typed
from sepcalc.cli.sources import SOURCE_HELP, RewriteFlags, ScaleFlags, SourceFlags
from sepcalc.cli.variants import VariantFlags
from sepcalc.core.errors import SepcalcError, either
from sepcalc.core.runtime import resolve
from sepcalc.measure.record import load_measurement
from sepcalc.render.charts.chart import need_libraries, save_chart
from sepcalc.render.files import by_suffix, write
from sepcalc.render.formats import FORMATS, Output
from sepcalc.report.document import Provenance, ReportSubject, chosen_layer, report_network

EXAMPLES = (
    "sepcalc report resnet50 -o report.html",
    "sepcalc report mobilenet_v1 --layer separable7 -o report.md",
    "sepcalc report my-net.yaml --pictures -o report.tex",
)


def outputs() -> dict[str, Output]:
    """The formats of a report, by the suffix of its file."""
    drawn = {output.suffix: output for output in FORMATS.values() if output.report}
    return dict(sorted(drawn.items()))


app = command_app()


@app.command(name="report", short_help="Write one document about a network.", epilog=examples(*EXAMPLES))
@flat
def write_report(
    *,
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)],
    scale: ScaleFlags,
    imports: SourceFlags,
    variants: VariantFlags,
    rewriting: RewriteFlags,
    layer: Annotated[
        str | None, option("--layer", "NAME", "The layer to explain; by default the one with the most MACs.")
    ] = None,
    measurements: Annotated[
        list[Path] | None, option("--measurements", "FILE", "A file from 'sepcalc measure --save'; repeatable.")
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Markdown and LaTeX: write the charts beside the report.")
    ] = False,
    output: Annotated[Path, option("--output -o", "FILE", f"The report: a {either(outputs())} file.")],
) -> None:
    """Write a report: totals, layers, one layer derived, charts, other counters, published figures, measurements."""
    form = flag("--output", lambda path: by_suffix(path, outputs()), output)
    if not form.pictures:
        ignore({"--pictures": pictures}, "the report itself holds its pictures; leave it out")
    elif pictures:
        need_libraries()
    today = _today()
    chosen = variants.chosen()
    measured = [flag("--measurements", load_measurement, file) for file in measurements or ()]
    network, trace = imports.trace(source, scale)
    subject = ReportSubject(
        network=network,
        what_ifs=tuple(rewriting.rewritten(network, chosen)),
        layer=flag("--layer", lambda name: chosen_layer(network, name), layer),
        trace=trace,
        published=not scale.changes(),
        measured=tuple(measured),
        pictures=pictures or not form.pictures,
    )
    provenance = Provenance(command=typed(context), version=__version__, date=today, source=source)
    document = report_network(subject, provenance)
    beside = re.sub("[^A-Za-z0-9.-]+", "-", output.stem)
    for picture in document.pictures if form.pictures else ():
        save_chart(picture.chart, output.with_name(f"{beside}-{picture.name}{form.pictures}"))
    write(output, resolve(form.report)(document, beside))


def _today() -> str:
    """The date in UTC, or that of SOURCE_DATE_EPOCH for a build that can be reproduced.

    Raises :class:`SepcalcError` where the date does not exist.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        now = datetime.fromtimestamp(int(epoch), timezone.utc) if epoch else datetime.now(timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise SepcalcError(
            f"SOURCE_DATE_EPOCH '{epoch}' is no day; give the seconds since 1970 as a whole number, or unset it"
        ) from None
    return now.date().isoformat()
