"""``sepcalc measure``: how much faster the variants are on this machine."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from sepcalc.cli.flags import flags_of, flat, many, option, refuse
from sepcalc.cli.measure_flags import FORMATS, MeasuredFlags
from sepcalc.cli.measure_show import TABLES, advise, check, check_show, loaded, show_session, show_sessions
from sepcalc.cli.options import ShowFlags, command_app, examples, typed
from sepcalc.cli.pictures import PlotFlags
from sepcalc.cli.sources import SOURCE_HELP
from sepcalc.measure.session import Scope

EXAMPLES = (
    "sepcalc measure --cin 64 --cout 128 -k 3 --size 56",
    "sepcalc measure --cin 64 --cout 128 -k 3 --size 56 --batch 1,8 --channels-last both",
    "sepcalc measure --cin 64 --cout 128 -k 3 --size 56 --roofline",
    "sepcalc measure mobilenet_v1 --save here.json",
    "sepcalc measure --load here.json there.json",
)


class _Command(TyperCommand):
    """A command with an optional value for ``--channels-last``, which Typer cannot declare."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        bare = "--channels-last"
        pairs = pairwise([*args, ""])
        words = [f"{bare}=yes" if word == bare and after not in FORMATS else word for word, after in pairs]
        return super().parse_args(ctx, words)


app = command_app()


@app.command(cls=_Command, short_help="Time variants through PyTorch.", epilog=examples(*EXAMPLES))
@flat
def measure(
    *,
    context: typer.Context,
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]", help=f"{SOURCE_HELP} Leave it out for a convolution.")
    ] = None,
    measured: MeasuredFlags,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a row is unreliable or failed.")] = False,
    save: Annotated[Path | None, option("--save", "FILE.json", "Save all samples and their conditions.")] = None,
    load: Annotated[
        bool, typer.Option("--load", help="Show saved measurements; the arguments are their files.")
    ] = False,
    table: Annotated[
        list[str] | None, many("--table", "NAME", f"Only this table of a network: {', '.join(TABLES)}")
    ] = None,
    plots: PlotFlags,
    show: ShowFlags,
) -> None:
    """Time a convolution or a network in several variants: how much of the promised reduction arrives as speed."""
    plots.check()
    names = table or ()
    if load:
        refuse({**flags_of(measured), "--save": save}, "--load shows what was measured; leave one or the other out")
        sessions = loaded(sources or ())
        if len(sessions) > 1:
            refuse(flags_of(plots), f"a chart is of one measurement, not of {len(sessions)}; name one file")
        show_sessions(sessions, names, show)
        plots.draw(lambda: next(iter(sessions.values())).tables[:1], "measurement")
        check(sessions.values(), strict=strict)
        return
    from sepcalc.cli.measure_run import measured_session

    scope: Scope = "network" if sources else "layer"
    session = measured_session(
        sources or (), measured, typed(context), save, lambda grid: check_show(scope, grid, names, show)
    )
    show_session(session, names, show)
    plots.draw(lambda: session.tables[:1], "measurement")
    if session.interrupted:
        raise typer.Exit(130)
    advise(session)
    check([session], strict=strict)
