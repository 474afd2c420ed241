"""``sepcalc sweep``: the costs and savings of the variants at every point of a grid."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from sepcalc.cli.convolution import ConvolutionFlags, on_axes
from sepcalc.cli.flags import flag, flag_name, flags_of, flat, option, refuse
from sepcalc.cli.options import ShowFlags, command_app, examples, ignore_si, need_size, with_columns
from sepcalc.cli.pictures import PlotFlags
from sepcalc.cli.progress import sweep_progress
from sepcalc.cli.variants import VariantFlags
from sepcalc.core.errors import SepcalcError
from sepcalc.core.network import Network
from sepcalc.core.parsing import parse_factor, parse_lengths, parse_whole
from sepcalc.core.table import Table
from sepcalc.core.variants import Variant, all_options
from sepcalc.readers.sources import kind_of, open_source
from sepcalc.render.files import writing
from sepcalc.sweep.files import FORMS, sweep_text, write_parquet
from sepcalc.sweep.grid import parse_values
from sepcalc.sweep.sweep import BLOCK, Sweep, sweep_network
from sepcalc.sweep.sweep import sweep_layer as sweep_of
from sepcalc.sweep.tables import elided, sweep_columns, sweep_table

EXAMPLES = (
    "sepcalc sweep --cin 64 --cout 32:1024:x2 -k 3,5,7 --size 56",
    "sepcalc sweep --cin 8:512:8 --cout 8:512:8 -k 3,5,7 --size 7:56:7 -o grid.csv",
    "sepcalc sweep mobilenet_v1 --width 0.25,0.5,0.75,1 --size 128:224:32",
)

MOST_SHOWN = 200
"""Most rows on a terminal; a longer table is shown without its middle."""

SWEPT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "--width": ("width", parse_factor),
    "--cin": ("c_in", parse_whole),
    "--cout": ("c_out", parse_whole),
    "-k": ("k", parse_lengths),
    "--size": ("size", parse_lengths),
    "--stride": ("stride", parse_lengths),
}
"""The flags that can be swept besides options of variants: the key, and the function that reads one value."""

app = command_app()


@app.command(short_help="Compare the variants at every point of a grid.", epilog=examples(*EXAMPLES))
@flat
def sweep(
    *,
    source: Annotated[
        str | None, typer.Argument(metavar="SOURCE", help="A bundled name or a .yaml file; without one, a convolution.")
    ] = None,
    convolution: ConvolutionFlags,
    variants: VariantFlags,
    width: Annotated[str | None, option("--width", "FACTOR", "Of a network: multiply the channels.")] = None,
    plots: PlotFlags,
    show: ShowFlags,
) -> None:
    """Compare the variants of a convolution, or of a network in YAML, at every point of a grid.

    Numbers of a convolution, options of variants, --width and --size take a value, a list (3,5,7) or a range with both
    its ends (8:64, 8:64:8, 8:64:x2).
    """
    plots.check()
    form = _form(show)
    if source is None:
        refuse({"--width": width}, "a convolution has no width; name a network")
        swept = _of_convolution(convolution, variants)
    else:
        others = {name: text for name, text in flags_of(convolution).items() if name != "--size"}
        refuse(others, f"{source} has its own layers; leave it out or the network")
        swept = _of_network(source, {"--width": width, "--size": convolution.size}, variants)
    _check(swept)
    # An error in the chart is reported before a long file is written.
    chart = plots.chart(lambda: [sweep_table(swept)])
    if form in FORMS or form == "parquet":
        _write(swept, form, show)
    else:
        is_screen = form == "terminal" and show.output is None and sys.stdout.isatty()
        table = sweep_table(swept)
        _pinned(swept, show).tables(elided(table, MOST_SHOWN) if is_screen else table)
    plots.save(chart)


def _check(swept: Sweep) -> None:
    """Raise :class:`SepcalcError` if no point can be counted; a grid too large for one block is not checked."""
    if None in swept.block(0, 1).counts[swept.reference].why_not or len(swept.grid) > BLOCK:
        return
    reasons = swept.whole().counts[swept.reference].why_not
    if None not in reasons:
        raise SepcalcError(str(reasons[0]))


def _form(show: ShowFlags) -> str:
    """The chosen format; ``parquet`` is chosen by the suffix of a file alone."""
    is_parquet = show.format is None and show.output is not None and show.output.suffix.lower() == ".parquet"
    return "parquet" if is_parquet else show.form()


def _of_convolution(given: ConvolutionFlags, variants: VariantFlags) -> Sweep:
    values = _values({**flags_of(given), **given.needed(), **flags_of(variants)})
    settings = given.settings()
    if given.axes is not None:
        # The dilation gets the axes, so that a kernel of one number stays one number.
        values["k"] = [on_axes(k, given.axes) if isinstance(k, tuple) else k for k in values["k"]]
        settings["dilation"] = on_axes(settings["dilation"], given.axes)
    return sweep_of(values, _chosen(variants, values, implied="groups"), settings)


def _of_network(source: str, scale: dict[str, str | None], variants: VariantFlags) -> Sweep:
    if kind_of(source) != "yaml":
        raise SepcalcError(
            f"a sweep is of a network in YAML, and '{source}' is none; name a bundled one or a .yaml file"
        )
    values = _values({**scale, **flags_of(variants)})
    if not values:
        raise SepcalcError(f"nothing of {source} is swept; give --width or --size")

    def opened(width: Any, size: Any) -> Network:
        return open_source(source, width=1 if width is None else width, size=size)

    return sweep_network(source, values, opened, _chosen(variants, values))


def _values(texts: Mapping[str, object]) -> dict[str, list[Any]]:
    """The values of each given flag by key; the last key changes fastest."""
    known = SWEPT | {flag_name(option.name): (option.name, option.parse) for option in all_options()}
    return {
        key: flag(name, partial(parse_values, read=read), str(texts[name]))
        for name, (key, read) in known.items()
        if texts.get(name) is not None
    }


def _chosen(variants: VariantFlags, values: Mapping[str, list[Any]], implied: str | None = None) -> Sequence[Variant]:
    """The variants to compare; their options have the first swept value until a point sets them."""
    first = {option.name: values[option.name][0] for option in all_options() if option.name in values}
    return variants.chosen(first, implied=implied)


def _pinned(swept: Sweep, show: ShowFlags) -> ShowFlags:
    """``show`` with the columns that identify a row before the chosen columns."""
    columns = (show.columns or "").strip(" ,")
    if columns in ("", "all"):
        return show
    if swept.is_open:
        need_size(columns, ["macs"])
    names = [axis.key for axis in swept.grid.swept]
    return show._replace(columns=",".join((*names, "variant", columns)))


def _write(swept: Sweep, form: str, show: ShowFlags) -> None:
    """Write records for programs, to a file or to standard output."""
    ignore_si(form, si=show.si)
    empty = Table(name="sweep", title="", columns=sweep_columns(swept), rows=())
    columns = with_columns(empty, _pinned(swept, show).columns or "all").columns
    wanted = show.output is not None or not sys.stdout.isatty()
    with sweep_progress(len(swept.grid), wanted=wanted) as watch:
        if show.output is None:
            sys.stdout.writelines(sweep_text(swept, columns, form, watch))
            return
        with writing(show.output) as file:
            if form == "parquet":
                write_parquet(swept, columns, file, watch)
            else:
                texts = sweep_text(swept, columns, form, watch)
                file.writelines(text.encode("utf-8", "backslashreplace") for text in texts)
