"""The layers of a network added up: what the whole should take, if nothing else took time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sepcalc.core.table import Cell, Column, Unit
from sepcalc.measure.columns import PROMISED_RULE, Figure
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.session import Judged
from sepcalc.measure.statistics import UNSTEADY


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The ``rows`` of the layers, added up for each form of the whole."""

    rows: Sequence[Judged]

    def figures(self, unit: Unit, *, beside_whole: bool) -> Iterator[tuple[Column, Figure]]:
        """The sum of the layers and, beside the whole, what the whole takes more."""
        rule = "Sum of layers: the convertible ones alone, each median as often as it occurs."
        column = Column(key="layers_s", title=f"Sum of layers ({unit})", kind="time", unit=unit, rank=3, rule=rule)
        yield column, lambda row: self.seconds(row.timed.name, row.timed.conditions)
        if beside_whole:
            rule = "Rest: the whole without these layers."
            column = Column(key="rest_s", title=f"Rest ({unit})", kind="time", unit=unit, rank=3, rule=rule)
            yield column, self._rest
            return
        column = Column(key="layers_speedup", title="Speed-up", kind="reduction", rank=1)
        yield replace(column, rule="Speed-up: sum of the reference / the row's."), self._speedup
        column = Column(key="promised", title="Promised", kind="reduction", rank=1)
        yield replace(column, rule=PROMISED_RULE), self._promised

    def stand_ins(self) -> Iterator[Judged]:
        """A row for each form in which layers were timed, where there is no whole."""
        forms = {(each.timed.name, each.timed.conditions): each for each in self._bodies}
        for each in forms.values():
            yield replace(each, timed=replace(each.timed, series=None), summary=None)

    @property
    def _bodies(self) -> Iterator[Judged]:
        return (each for each in self.rows if each.timed.role == "body" and each.timed.why_not is None)

    def _chosen(self, name: str, conditions: Conditions) -> list[tuple[int, Judged]]:
        """Which rows make the form called ``name``, each for how many layers; what is left there counts as written."""
        rows = [each for each in self._bodies if each.timed.conditions == conditions]
        formed = {each.timed.group: each for each in rows if each.timed.name == name}
        chosen = [(each.timed.layers - each.timed.left, each) for each in formed.values()]
        for each in rows:
            if each.timed.as_written:
                form = formed.get(each.timed.group)
                chosen.append((form.timed.left if form else each.timed.layers, each))
        return [(layers, each) for layers, each in chosen if layers]

    def seconds(self, name: str, conditions: Conditions) -> Fraction | None:
        """The sum for one form of the whole; None where a layer could not be timed."""
        wanted = self._chosen(name, conditions)
        times = [Fraction(each.summary.median_s) * layers for layers, each in wanted if each.summary]
        return sum(times, Fraction(0)) if times and len(times) == len(wanted) else None

    def _believed(self, name: str, conditions: Conditions) -> bool:
        """Whether what is not to be believed in the sum is little enough: no more of it than a steady time may vary."""
        times = {True: 0.0, False: 0.0}
        for layers, each in self._chosen(name, conditions):
            times[each.believed] += layers * each.summary.median_s if each.summary else 0.0
        return times[False] <= UNSTEADY * sum(times.values())

    def _rest(self, row: Judged) -> Cell:
        inside = self.seconds(row.timed.name, row.timed.conditions)
        if inside is None or row.summary is None:
            return None
        if not (row.believed and self._believed(row.timed.name, row.timed.conditions)):
            return "unreliable"
        return Fraction(row.summary.median_s) - inside

    def _first(self, row: Judged) -> str:
        return next(each.timed.name for each in self._bodies if each.timed.conditions == row.timed.conditions)

    def _speedup(self, row: Judged) -> Cell:
        forms = self._first(row), row.timed.name
        first, mine = (self.seconds(each, row.timed.conditions) for each in forms)
        if not (first and mine):
            return None
        return first / mine if all(self._believed(each, row.timed.conditions) for each in forms) else "unreliable"

    def _promised(self, row: Judged) -> Cell:
        macs = [
            sum(layers * each.timed.macs for layers, each in self._chosen(name, row.timed.conditions))
            for name in (self._first(row), row.timed.name)
        ]
        return Fraction(macs[0], macs[1]) if macs[1] else None
