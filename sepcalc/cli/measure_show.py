"""One measurement as tables, or several side by side; advice and errors about unreliable rows."""

from collections.abc import Iterable, Mapping, Sequence

from sepcalc.cli.flags import ignore, say
from sepcalc.cli.options import ShowFlags, check_tables, with_columns
from sepcalc.core.errors import GateError, SepcalcError
from sepcalc.core.table import Table
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Plan
from sepcalc.measure.session import WHOLE, Scope, Session, Timed, doubtful, judged
from sepcalc.measure.statistics import FEWEST_ROUNDS
from sepcalc.render.files import check_place
from sepcalc.render.formats import FORMATS

TABLES = ("layers", "totals")
"""The tables of a network, in the order in which they are shown."""

_HOLDS = "row and sample"


def loaded(files: Sequence[str]) -> dict[str, Session]:
    """The sessions in ``files``, by file name.

    Raises :class:`SepcalcError` if no file is named, and for a file named twice or without a measurement.
    """
    from sepcalc.measure.record import load_measurement

    if not files:
        raise SepcalcError("--load: no file is named; name some that 'sepcalc measure --save FILE' wrote")
    for file in files:
        if files.count(file) > 1:
            raise SepcalcError(f"--load: '{file}' is named twice; name each file once")
    return {file: load_measurement(file) for file in files}


def show_sessions(sessions: Mapping[str, Session], names: Sequence[str], show: ShowFlags) -> None:
    """Show one session as after its measurement, or several side by side."""
    first = next(iter(sessions.values()))
    if len(sessions) == 1:
        _check_tables(first.scope, names, show.form())
        show_session(first, names, show)
        return
    ignore({"--table": list(names)}, f"{len(sessions)} files are one table, side by side")
    if show.form() == "json":
        from sepcalc.measure.record import answers

        show.answer(answers(sessions), _HOLDS)
    else:
        from sepcalc.measure.runs import runs_table

        show.tables(runs_table(sessions))


def show_session(session: Session, names: Sequence[str], show: ShowFlags) -> None:
    """Show the tables of a session called ``names``, or all."""
    form = show.form()
    if form == "json":
        from sepcalc.measure.record import answer

        show.answer(answer(session), _HOLDS, {"--table": list(names)})
        return
    wanted = _wanted(session, names)
    if FORMATS[form].one_table and len(wanted) > 1 and not names:
        say(f"{form} holds one table, this is '{wanted[0].name}'; for the other use --table totals")
        wanted = wanted[:1]
    show.tables(wanted[0], *(table.brief() for table in wanted[1:]))


def _wanted(session: Session, names: Sequence[str]) -> list[Table]:
    return [table for table in session.tables if not names or session.scope == "layer" or table.name in names]


def check_show(scope: Scope, conditions: Sequence[Conditions], names: Sequence[str], show: ShowFlags) -> None:
    """Raise :class:`SepcalcError` if the flags for output do not fit a session, before it is measured."""
    form = show.form()
    _check_tables(scope, names, form)
    if show.output is not None:
        check_place(show.output)
    if form == "json":
        return
    rows = tuple(Timed(group=group, name="", conditions=setting) for group in ("", WHOLE) for setting in conditions)
    rehearsal = Session(scope=scope, title="", rows=rows, plan=Plan())
    with_columns(_wanted(rehearsal, names)[0], show.columns)


def _check_tables(scope: Scope, names: Sequence[str], form: str) -> None:
    check_tables(names, TABLES, form)
    if scope == "layer" and form != "json":
        ignore({"--table": list(names)}, "a convolution has one table")


def advise(session: Session) -> None:
    """Advise on standard error how to mend rows that are unreliable after enough rounds."""
    rows = judged(session)
    if wrong := sum(row.summary is not None and row.summary.n >= FEWEST_ROUNDS for row in doubtful(rows)):
        longer = f"for longer, as with --time {max(10, 5 * session.plan.time_s):g}"
        say(f"unreliable: {wrong:,} of {len(rows):,} rows; close other programs and measure again, or {longer}")


def check(sessions: Iterable[Session], *, strict: bool) -> None:
    """Raise :class:`GateError` if ``strict`` and a row of any session is unreliable or failed."""
    rows = [row for session in sessions for row in judged(session)]
    if strict and (wrong := list(doubtful(rows))):
        raise GateError(
            f"{len(wrong):,} of {len(rows):,} rows are unreliable or failed, which --strict forbids; "
            f"first {wrong[0].label}: {wrong[0].reason}"
        )
