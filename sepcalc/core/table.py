"""A table as a value: built once, rendered many times.

Cells hold exact values in base units, never rounded text. The column's :data:`Kind` and the renderer decide what a
number looks like.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Generic, Literal, TypeVar

from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.runtime import resolve

COUNTING_RULE = (
    "MACs: multiply-adds of convolutions, linear layers and matrix products, 1 MAC = 2 FLOPs; "
    "bias, normalisation, activations and pooling are not in them."
)
PARAMS_RULE = "Params: everything trainable."
CAPTION = f"{COUNTING_RULE} {PARAMS_RULE}"
REDUCTION_RULE = "Reduction: standard / variant."

SCHEMA = 1
"""The version of the JSON answers."""

MOST_NAMED = 3
"""The most layers that a note names before it counts the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A measured number, with the ends of its interval."""

    value: Fraction
    low: Fraction
    high: Fraction

    @classmethod
    def of(cls, value: float, low: float, high: float) -> Estimate:
        """The estimate of these numbers, exactly as they are.

        >>> Estimate.of(3.5, 3.25, 4)
        Estimate(value=Fraction(7, 2), low=Fraction(13, 4), high=Fraction(4, 1))
        """
        return cls(value=Fraction(value), low=Fraction(low), high=Fraction(high))


Cell = str | int | Fraction | tuple[int, ...] | Estimate | None
"""None means that there is no such number; it is never shown as zero."""

Plain = str | int | float | list[int] | None
"""A cell as a program reads it."""

TimeUnit = Literal["s", "ms", "µs", "ns"]
"""Units of times."""

Kind = Literal[
    "text", "count", "per-position", "bytes", "reduction", "share", "bar", "quotient", "size", "time", "rate"
]
"""The type of a column's cells.

text: a string. count: an exact integer, printed with thousands separators or, on demand, as 569 M.
per-position: an integer to be multiplied by the number of positions, printed ``73,728·D_F²``.
bytes: a count of bytes. reduction: a factor, printed ``8.41×``. share: a part of one, printed ``11.9 %``.
bar: a part of one, drawn ``███▌   ``.
quotient: a number with a unit, printed to three figures. size: one entry per axis, printed ``56×56``.
time: seconds, printed in the column's unit. rate: a number per second, printed ``45.2 G``.

An :class:`Estimate` may stand in a column of reductions, shares, quotients or times: ``3.42× [3.38, 3.47]``.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its ``key`` (for ``--columns`` and machine-readable formats) and its ``title`` for people.

    Where space is short, the highest ``rank`` goes first; before ranks 1 and 2 go, texts fold; rank 0 always stays.
    ``axes`` is the power of D_F in a per-position column, ``unit`` that of times, ``rule`` how to read the column.
    With ``interval`` the ends of each :class:`Estimate` are shown, to programs as ``key_low`` and ``key_high``.
    An ``extra`` column is shown on demand.
    """

    key: str
    title: str
    kind: Kind = "text"
    rank: int = 0
    axes: int = 2
    unit: TimeUnit = "s"
    interval: bool = False
    rule: str = ""
    extra: bool = False

    @property
    def variant(self) -> str:
        """The column's variant, the part of its key after a colon; empty for none."""
        return self.key.partition(":")[2]

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers, which stand right-aligned and are never folded."""
        return self.kind != "text"

    @property
    def keys(self) -> tuple[str, ...]:
        """The column's keys for programs: three where it has intervals."""
        return (self.key, f"{self.key}_low", f"{self.key}_high") if self.interval else (self.key,)

    def plain(self, cell: Cell) -> tuple[Plain, ...]:
        """``cell`` as programs read it, one value for each of the :attr:`keys`."""
        return (plain(cell, self), *ends(cell)) if self.interval else (plain(cell, self),)


Role = Literal["body", "part", "total"]
"""A row is one of the body, a part of the row above, or a sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of cells, one per column."""

    cells: tuple[Cell, ...]
    role: Role = "body"


Subject = TypeVar("Subject")
"""The thing that a row describes."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field(Generic[Subject]):
    """The definition of a column: ``figure`` makes its cell from the subject of a row.

    ``title`` and ``rule`` may quote facts of the table in braces: ``{element_bytes} bytes per element``. ``shown`` has
    the forms of the table in which the column is there unasked; None is all of them. ``needs`` names a thing that some
    tables or rows lack. ``answer``: the figure is in the JSON answer ``too``, or there ``alone``, without a column.
    """

    key: str
    title: str
    figure: Callable[[Subject], Cell]
    kind: Kind = "text"
    rank: int = 0
    rule: str = ""
    interval: bool = False
    shown: tuple[str, ...] | None = None
    needs: str = ""
    answer: Literal["no", "too", "alone"] = "no"

    def is_shown(self, form: str) -> bool:
        """Whether the column is there unasked in a table of this ``form``."""
        return self.shown is None or form in self.shown

    def column(self, form: str = "", facts: Mapping[str, Any] | None = None) -> Column:
        """The column in a table of this ``form``, with the ``facts`` that its texts quote."""
        facts = facts or {}
        return Column(
            key=self.key,
            title=self.title.format_map(facts),
            kind=self.kind,
            rank=self.rank,
            axes=facts.get("axes", 2),
            unit=facts.get("unit", "s"),
            interval=self.interval,
            rule=self.rule.format_map(facts),
            extra=not self.is_shown(form),
        )

    def answered(self, subject: Subject) -> Plain:
        """The figure as the JSON answer has it: a quotient that is a whole number is one."""
        cell = self.figure(subject)
        if self.kind == "quotient" and isinstance(cell, Fraction) and cell.denominator == 1:
            return cell.numerator
        return plain(cell, self)


def answer_of(fields: Iterable[Field[Subject]], subject: Subject) -> dict[str, Plain]:
    """The figures of ``subject`` in the JSON answer, by key."""
    return {field.key: field.answered(subject) for field in fields if field.answer != "no"}


def lookup(key: str, known: Mapping[str, Found]) -> Found:
    """The entry for the column called ``key``; raises :class:`SepcalcError` for an unknown column."""
    if key not in known:
        raise SepcalcError(f"unknown column '{key}'{closest(key, known, families(known))}")
    return known[key]


def by_key(*fields: Field[Subject]) -> dict[str, Field[Subject]]:
    """``fields`` as a registry, in their order."""
    return {field.key: field for field in fields}


def families(keys: Iterable[str]) -> Iterable[str]:
    """The keys of columns, where all that are equal up to a colon become one.

    >>> list(families(["params", "macs:standard", "macs:depthwise"]))
    ['params', 'macs:…']
    """
    return dict.fromkeys(f"{key.partition(':')[0]}:…" if ":" in key else key for key in keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table with the rule of counting as its ``caption`` and remarks as its ``notes``.

    :func:`share_rules` moves the rules that it shares with the tables before it into ``common``.
    """

    name: str
    title: str
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    caption: str = ""
    notes: tuple[str, ...] = ()
    common: str = ""

    @property
    def legend(self) -> str:
        """The caption and the rules of the columns that are there."""
        return " ".join(self.rules)

    @property
    def rules(self) -> Iterable[str]:
        """The sentences of the legend; the rule of a column counts as one."""
        return dict.fromkeys(filter(None, (*_sentences(self.caption), *(column.rule for column in self.columns))))

    def without_rules(self, rules: Collection[str]) -> Table:
        """This table without ``rules`` in its legend."""
        return replace(
            self,
            caption=" ".join(sentence for sentence in _sentences(self.caption) if sentence not in rules),
            columns=tuple(replace(column, rule="") if column.rule in rules else column for column in self.columns),
        )

    def brief(self) -> Table:
        """This table without its extra columns."""
        return self.select(column.key for column in self.columns if not column.extra)

    def select(self, keys: Iterable[str]) -> Table:
        """This table with the columns called ``keys``, in order; raises :class:`SepcalcError` for an unknown one."""
        known = {column.key: place for place, column in enumerate(self.columns)}
        places = [lookup(key, known) for key in keys]
        return replace(
            self,
            columns=tuple(self.columns[place] for place in places),
            rows=tuple(replace(row, cells=tuple(row.cells[place] for place in places)) for row in self.rows),
        )

    def pinned(self) -> Table:
        """This table, with every column kept where space is short."""
        return replace(self, columns=tuple(replace(column, rank=0) for column in self.columns))

    @property
    def label_place(self) -> int:
        """The place of the column that names the rows: the first that holds text, else the first of all."""
        return next((place for place, column in enumerate(self.columns) if not column.is_number), 0)

    def records(self) -> Iterator[Sequence[Plain]]:
        """The keys, then the cells of each row as programs read them; with ``role`` where rows are parts or sums."""
        roles = any(row.role != "body" for row in self.rows)
        yield [key for column in self.columns for key in column.keys] + ["role"] * roles
        for row in self.rows:
            cells = zip(self.columns, row.cells, strict=True)
            yield [value for column, cell in cells for value in column.plain(cell)] + [row.role] * roles

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as records by the keys of the columns, those on demand too: numbers exact or the nearest float.

        ``pandas.DataFrame(table.to_dicts())`` is a data frame of them. None stands for a missing number, and for a word
        in its place, like 4.2 M. A size is a list; a number with an interval has the keys ``key``, ``key_low`` and
        ``key_high``. Where rows are parts or sums of others, ``role`` is ``body``, ``part`` or ``total``.

        >>> columns = Column(key="variant", title="Variant"), Column(key="macs", title="MACs", kind="count")
        >>> Table(name="", title="", columns=columns, rows=(Row(cells=("standard", 73_728)),)).to_dicts()
        [{'variant': 'standard', 'macs': 73728}]
        """
        keys, *records = self.records()
        numbers = {key for column in self.columns if column.is_number for key in column.keys}
        return [
            {str(key): None if key in numbers and isinstance(value, str) else value for key, value in pairs}
            for pairs in (zip(keys, record, strict=True) for record in records)
        ]

    def _repr_html_(self) -> str:
        return _shown([self], "html")

    def _repr_markdown_(self) -> str:
        return _shown([self], "markdown")


def fill_table(
    table: Table,
    fields: Iterable[Field[Subject]],
    subjects: Iterable[Subject],
    *,
    role: Callable[[Subject], Role] = lambda _: "body",
    form: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Table:
    """``table`` with a column for each of ``fields``, and for each of ``subjects`` a row of the ``role`` given."""
    fields = [field for field in fields if field.answer != "alone"]
    figures = [field.figure for field in fields]
    return replace(
        table,
        columns=tuple(field.column(form, facts) for field in fields),
        rows=tuple(Row(cells=tuple(figure(item) for figure in figures), role=role(item)) for item in subjects),
    )


def _sentences(text: str) -> list[str]:
    from re import split

    return split(r"(?<=\.) (?=[A-Z])", text)


def share_rules(tables: Sequence[Table]) -> list[Table]:
    """The ``tables`` of one answer; rules that stand in several of them are moved below the last.

    >>> first, last = (Table(name="", title="", caption=f"{own} All counts are exact.") for own in ("One.", "Two."))
    >>> [(table.legend, table.common) for table in share_rules([first, last])]
    [('One.', ''), ('Two.', 'All counts are exact.')]
    """
    times = Counter(rule for table in tables for rule in table.rules)
    shared = [rule for rule, count in times.items() if count > 1]
    if not shared:
        return list(tables)
    *others, last = (table.without_rules(shared) for table in tables)
    return [*others, replace(last, common=" ".join(shared))]


class Tabular:
    """A result with tables, which notebooks show in HTML, or else in Markdown, without their extra columns."""

    __slots__ = ()

    _TABLES: ClassVar[str]
    """The function that makes the tables of this result, as ``module:name``: a result does not import its tables."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables of this result; :meth:`to_dicts` has the first."""
        tables: tuple[Table, ...] = resolve(self._TABLES)(self)
        return tables

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows of the first table, as :meth:`Table.to_dicts` has them."""
        return self.tables[0].to_dicts()

    def _repr_html_(self) -> str:
        return _shown(self.tables, "html")

    def _repr_markdown_(self) -> str:
        return _shown(self.tables, "markdown")


def _shown(tables: Sequence[Table], format: str) -> str:  # noqa: A002 - the word of the command line
    shown: str = resolve("sepcalc.render.formats:fragments")([table.brief() for table in tables], format)
    return shown


def plain(cell: Cell, column: Column | Field[Any]) -> Plain:
    """``cell`` as a program reads it: integers exact, other numbers the nearest float, sizes as lists.

    Of an estimate this is the value, without its :func:`ends`. A blank in the place of a number is None; a number in a
    column of text is text.

    >>> plain(Fraction(73728), Column(key="macs", title="MACs", kind="per-position"))
    73728
    """
    if cell == "" and column.kind != "text":
        return None
    if isinstance(cell, int) and column.kind == "text":
        return str(cell)
    if isinstance(cell, Fraction):
        return int(cell) if column.kind == "per-position" and cell.denominator == 1 else float(cell)
    if isinstance(cell, Estimate):
        return float(cell.value)
    return list(cell) if isinstance(cell, tuple) else cell


def ends(cell: Cell) -> tuple[Plain, Plain]:
    """The ends of an estimate's interval as a program reads them; None for other cells."""
    return (float(cell.low), float(cell.high)) if isinstance(cell, Estimate) else (None, None)


def first_few(names: Sequence[str]) -> str:
    """The first few of ``names``, and how many more there are.

    >>> first_few(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
