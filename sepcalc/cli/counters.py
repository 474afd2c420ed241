"""``sepcalc network SOURCE --as COUNTER`` and ``--published``: a network in the conventions of other tools."""

from collections.abc import Callable, Mapping, Sequence

from sepcalc.cli.flags import flag, refuse
from sepcalc.cli.options import ShowFlags
from sepcalc.cli.sources import SourceFlags
from sepcalc.conventions.counters import choose_counters
from sepcalc.conventions.published import published_conventions_answer, published_conventions_table
from sepcalc.conventions.tables import reconcile_all, reconcile_answer, reconcile_table
from sepcalc.core.errors import SepcalcError
from sepcalc.core.network import Network
from sepcalc.readers.trace import Trace


def show_counters(
    opening: Callable[[], tuple[Network, Trace | None]],
    names: Sequence[str],
    others: Mapping[str, object],
    show: ShowFlags,
) -> None:
    """Print the totals of the counters called ``names``; ``others`` are flags that have no effect here."""
    refuse(others, "--as shows other counters alone; leave one or the other out")
    form = show.form()
    counters = flag("--as", choose_counters, names)
    network, trace = opening()
    found = reconcile_all(network, trace, counters)
    if form == "json":
        show.answer(reconcile_answer(network, found, as_modules=trace is None))
    else:
        show.tables(reconcile_table(network, found, as_modules=trace is None))


def show_published(source: str, others: Mapping[str, object], show: ShowFlags) -> None:
    """Print which conventions the published figures of a network follow."""
    refuse(others, "--published shows published figures alone; leave one or the other out")
    form = show.form()
    network = SourceFlags().open(source)
    if not network.published:
        raise SepcalcError(f"{network.name} has no published figures; give it some under published:")
    if form == "json":
        show.answer(published_conventions_answer(network))
    else:
        show.tables(published_conventions_table(network))
