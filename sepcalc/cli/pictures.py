"""The flags for pictures: charts in files, and bars beside the numbers of a terminal."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sepcalc.cli.flags import flag, ignore, option
from sepcalc.cli.options import ShowFlags
from sepcalc.core.table import Table

if TYPE_CHECKING:
    from sepcalc.render.charts.chart import Chart


class PlotFlags(NamedTuple):
    """The file for a chart."""

    plot: Annotated[Path | None, option("--plot", "FILE", "Draw a chart too: .html, .svg, .png or .pdf.")] = None

    def check(self) -> None:
        """Raise :class:`SepcalcError` if no chart can be drawn into the file, before anything is computed."""
        if self.plot is not None:
            from sepcalc.render.charts.chart import drawer

            flag("--plot", drawer, self.plot)

    def draw(self, tables: Callable[[], Iterable[Table]], name: str = "") -> None:
        """Write the chart of ``tables``, if wanted; see :func:`~sepcalc.render.charts.chart.chart_of`."""
        self.save(self.chart(tables, name))

    def chart(self, tables: Callable[[], Iterable[Table]], name: str = "") -> "Chart | None":
        """The chart of ``tables``, if wanted."""
        if self.plot is None:
            return None
        from sepcalc.render.charts.chart import chart_of

        return chart_of(*tables(), name=name)

    def save(self, chart: "Chart | None") -> None:
        """Write ``chart`` to the file, if there is one."""
        if self.plot is not None and chart is not None:
            from sepcalc.render.charts.chart import save_chart

            save_chart(chart, self.plot)


class BarFlags(NamedTuple):
    """Whether shares are drawn as bars."""

    bars: Annotated[bool, typer.Option("--bars", help="Draw shares as bars, in a terminal.")] = False

    def barred(self, table: Table, shares: Mapping[str, str], show: ShowFlags) -> Table:
        """``table`` with its ``shares`` as bars, if wanted; a note if none would be visible."""
        if not self.bars:
            return table
        from sepcalc.render.bars import with_bars

        if show.form() != "terminal":
            ignore({"--bars": True}, f"{show.form()} has no bars; choose another format, or --plot")
            return table
        drawn = with_bars(table, shares)
        bars = [column.key for column in drawn.columns if column.kind == "bar"]
        named = (show.columns or "all").split(",")
        if "all" not in named and not any(key.strip() in bars for key in named):
            ignore({"--bars": True}, f"no bars are shown; add {' or '.join(bars)} to --columns")
        return drawn
