"""Measurements on the screen and in files: the tables of one, several side by side, and whether all can be believed."""

import sys
from collections.abc import Iterable, Mapping, Sequence

from sepcalc.cli.options import ShowFlags, refuse_si, with_columns
from sepcalc.core.errors import GateError, SepcalcError, closest
from sepcalc.core.table import Table
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Plan
from sepcalc.measure.session import WHOLE, Kind, Session, Timed, doubtful, judged
from sepcalc.measure.statistics import FEWEST_ROUNDS
from sepcalc.render.files import check_place
from sepcalc.render.formats import FORMATS

TABLES = ("layers", "totals")
"""The tables of a network, in the order in which they are shown."""

_HOLDS = "row and sample"


def loaded(files: Sequence[str]) -> dict[str, Session]:
    """The sessions that ``files`` keep, by the name of the file.

    Raises :class:`SepcalcError` where there are none, and for a file that is not what it should be.
    """
    from sepcalc.measure.record import load_measurement

    if not files:
        raise SepcalcError("--load: no file is named; name some that 'sepcalc measure --save FILE' wrote")
    for file in files:
        if files.count(file) > 1:
            raise SepcalcError(f"--load: '{file}' is named twice; name each file once")
    return {file: load_measurement(file) for file in files}


def show_sessions(sessions: Mapping[str, Session], names: Sequence[str], show: ShowFlags) -> None:
    """Show one session as it was, or several side by side."""
    first = next(iter(sessions.values()))
    if len(sessions) == 1:
        check_tables(names, of_network=first.kind == "network")
        show_session(first, names, show)
        return
    if names:
        raise SepcalcError(f"--table: {len(sessions)} files are one table, side by side; leave it out")
    if show.form() == "json":
        from sepcalc.measure.record import answers

        show.answer(answers(sessions), _HOLDS)
        return
    from sepcalc.measure.runs import runs_table

    show.tables(runs_table(sessions))


def show_session(session: Session, names: Sequence[str], show: ShowFlags) -> None:
    """Show the tables called ``names`` of a session, or all."""
    form = show.form()
    if form == "json":
        from sepcalc.measure.record import answer

        show.answer(answer(session), _HOLDS, {"--table": list(names)})
        return
    wanted = _wanted(session, names)
    if FORMATS[form].one_table and len(wanted) > 1 and not names:
        sys.stderr.write(f"{form} holds one table, this is '{wanted[0].name}'; for the other use --table totals\n")
        wanted = wanted[:1]
    first, *others = wanted
    show.tables(first, *(each.brief() for each in others))


def _wanted(session: Session, names: Sequence[str]) -> list[Table]:
    return [each for each in session.tables if not names or each.name in names]


def check_show(kind: Kind, conditions: Sequence[Conditions], names: Sequence[str], show: ShowFlags) -> None:
    """Raise :class:`SepcalcError` for what cannot be shown of a session, before anything is measured."""
    form = show.form()
    check_tables(names, of_network=kind == "network")
    if show.output is not None:
        check_place(show.output)
    if form == "json":
        show.refuse_looks(_HOLDS, {"--table": list(names)})
        return
    refuse_si(form, si=show.si)
    if FORMATS[form].one_table and len(set(names)) > 1:
        raise SepcalcError(f"--table: {form} holds one table; name one, or choose another format")
    rows = tuple(Timed(group=group, name="", conditions=each) for group in ("", WHOLE) for each in conditions)
    rehearsal = Session(kind=kind, title="", rows=rows, plan=Plan())
    with_columns(_wanted(rehearsal, names)[0], show.columns)


def check_tables(names: Sequence[str], *, of_network: bool) -> None:
    """Raise :class:`SepcalcError` for tables that there are not, before anything is measured."""
    for name in names:
        if name not in TABLES:
            raise SepcalcError(f"--table: no table '{name}'{closest(name, TABLES)}")
    if names and not of_network:
        raise SepcalcError("--table would change nothing: a convolution has one table; leave it out")


def advise(session: Session) -> None:
    """Say on standard error what may help, where enough rounds gave ratios that are not to be believed."""
    rows = judged(session)
    if wrong := sum(each.summary is not None and each.summary.n >= FEWEST_ROUNDS for each in doubtful(rows)):
        longer = f"for longer, as with --time {max(10, 5 * session.plan.time_s):g}"
        sys.stderr.write(
            f"unreliable: {wrong:,} of {len(rows):,} rows; close other programs and measure again, or {longer}\n"
        )


def check(sessions: Iterable[Session], *, strict: bool) -> None:
    """Raise :class:`GateError` where ``strict`` and a headline of any session is not to be believed."""
    rows = [each for session in sessions for each in judged(session)]
    wrong = list(doubtful(rows)) if strict else []
    if wrong:
        first = wrong[0]
        raise GateError(
            f"{len(wrong):,} of {len(rows):,} rows are unreliable or failed, which --strict forbids; "
            f"first {first.label}: {first.reason}"
        )
