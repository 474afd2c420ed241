"""``sepcalc sweep``: what the variants cost and save at every point of a grid."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from sepcalc.cli.convolution import ConvolutionFlags, on_axes
from sepcalc.cli.flags import flag, flag_name, flags_of, flat, option, refuse
from sepcalc.cli.options import ShowFlags, command_app, examples, need_size, refuse_si, with_columns
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
"""Rows on a terminal; of a longer table the first and the last are shown."""

SWEPT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "--width": ("width", parse_factor),
    "--cin": ("c_in", parse_whole),
    "--cout": ("c_out", parse_whole),
    "-k": ("k", parse_lengths),
    "--size": ("size", parse_lengths),
    "--stride": ("stride", parse_lengths),
}
"""What can be swept besides options, by flag: its key, and how one value of it is read."""

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
        found = _of_convolution(convolution, variants)
    else:
        others = {name: text for name, text in flags_of(convolution).items() if name != "--size"}
        refuse(others, f"{source} has its own layers; leave it out or the network")
        found = _of_network(source, {"--width": width, "--size": convolution.size}, variants)
    _check(found)
    # What cannot be drawn is said before a long file is written.
    chart = plots.chart(lambda: [sweep_table(found)])
    if form in FORMS or form == "parquet":
        _write(found, form, show)
    else:
        _show(found, form, show)
    plots.save(chart)


def _check(found: Sweep) -> None:
    """Raise :class:`SepcalcError` where no point can be counted, as for one alone; of a large grid some could."""
    if None in found.block(0, 1).counts[found.reference].why_not or len(found.grid) > BLOCK:
        return
    reasons = found.whole().counts[found.reference].why_not
    if None not in reasons:
        raise SepcalcError(str(reasons[0]))


def _form(show: ShowFlags) -> str:
    """The format that the user asked for; Parquet is one of files alone."""
    is_parquet = show.format is None and show.output is not None and show.output.suffix.lower() == ".parquet"
    return "parquet" if is_parquet else show.form()


def _of_convolution(given: ConvolutionFlags, variants: VariantFlags) -> Sweep:
    given.needed()
    values = _values({**flags_of(given), **flags_of(variants)})
    settings = given.settings()
    if given.axes is not None:
        # The dilation has the axes, so that a kernel of one number stays one number.
        values["k"] = [on_axes(each, given.axes) if isinstance(each, tuple) else each for each in values["k"]]
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
    """The values of each quantity that is given, by key; the last changes fastest."""
    swept = SWEPT | {flag_name(option.name): (option.name, option.parse) for option in all_options()}

    def read(name: str, parse: Callable[[str], Any]) -> list[Any]:
        return flag(name, lambda text: parse_values(text, parse), str(texts[name]))

    return {key: read(name, parse) for name, (key, parse) in swept.items() if texts.get(name) is not None}


def _chosen(
    variants: VariantFlags, values: Mapping[str, Sequence[Any]], implied: str | None = None
) -> Sequence[Variant]:
    """The variants that are compared, each option with its first value until a point sets it."""
    first = {option.name: values[option.name][0] for option in all_options() if option.name in values}
    return variants.chosen(first, implied=implied)


def _pinned(found: Sweep, show: ShowFlags) -> ShowFlags:
    """The flags with columns that say which row is which, whatever others are asked for."""
    if show.columns in (None, "all") or not (show.columns or "").strip(" ,"):
        return show
    if found.is_open:
        need_size(show.columns, ["macs"])
    names = [axis.key for axis in found.grid.swept]
    return show._replace(columns=",".join((*names, "variant", show.columns or "")))


def _show(found: Sweep, form: str, show: ShowFlags) -> None:
    table = sweep_table(found)
    is_screen = form == "terminal" and show.output is None and sys.stdout.isatty()
    _pinned(found, show).tables(elided(table, MOST_SHOWN) if is_screen else table)


def _write(found: Sweep, form: str, show: ShowFlags) -> None:
    """Write records for programs, to a file or to standard output."""
    refuse_si(form, si=show.si)
    every = Table(name="sweep", title="", columns=sweep_columns(found), rows=())
    columns = with_columns(every, _pinned(found, show).columns or "all").columns
    wanted = show.output is not None or not sys.stdout.isatty()
    with sweep_progress(len(found.grid), wanted=wanted) as watch:
        if show.output is None:
            sys.stdout.writelines(sweep_text(found, columns, form, watch))
            return
        with writing(show.output) as file:
            if form == "parquet":
                write_parquet(found, columns, file, watch)
            else:
                texts = sweep_text(found, columns, form, watch)
                file.writelines(text.encode("utf-8", "backslashreplace") for text in texts)
