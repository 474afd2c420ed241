"""``sepcalc network SOURCE --as COUNTER`` and ``--published``: the same network in the conventions of others."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sepcalc.cli_options import flag, refuse, show_json, show_tables, with_columns
from sepcalc.cli_sources import opened
from sepcalc.conventions import choose_counters
from sepcalc.errors import SepcalcError
from sepcalc.network import Network
from sepcalc.reconcile_published import published_conventions_answer, published_conventions_table
from sepcalc.reconcile_report import reconcile_all, reconcile_answer, reconcile_table
from sepcalc.render import Format
from sepcalc.trace import Trace

_EVERY_FIGURE = "json always holds every figure; choose another format"


def show_counters(
    opening: Callable[[], tuple[Network, Trace | None]],
    names: Sequence[str],
    others: Mapping[str, object],
    columns: str | None,
    form: Format,
    output: Path | None,
    *,
    si: bool,
) -> None:
    """Print what each of the counters called ``names`` prints for the network; ``others`` are flags of other tables."""
    refuse(others, "--as shows other counters alone; leave one or the other out")
    counters = flag("--as", choose_counters, names)
    network, trace = opening()
    found = reconcile_all(network, trace, counters)
    if form == "json":
        refuse({"--columns": columns, "--si": si}, _EVERY_FIGURE)
        show_json(reconcile_answer(network, found, as_modules=trace is None), output)
        return
    table = reconcile_table(network, found, as_modules=trace is None)
    show_tables([with_columns(table, columns)], form, output, si=si)


def show_published(
    source: str, others: Mapping[str, object], columns: str | None, form: Format, output: Path | None, *, si: bool
) -> None:
    """Print what the published figures of a network file stand for."""
    refuse(others, "--published shows published figures alone; leave one or the other out")
    network = opened(source, None, None)
    if not network.published:
        raise SepcalcError(f"{network.name} has no published figures; give it some under published:")
    if form == "json":
        refuse({"--columns": columns, "--si": si}, _EVERY_FIGURE)
        show_json(published_conventions_answer(network), output)
        return
    show_tables([with_columns(published_conventions_table(network), columns)], form, output, si=si)
