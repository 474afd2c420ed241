"""Results that show themselves: as tables in a notebook, as records to a data frame.

A result knows its tables and nothing of how they are drawn; :class:`Tabular` is all that a notebook asks of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sepcalc.cells import Plain
    from sepcalc.table import Table


class Tabular:
    """A result that knows its ``tables``.

    Jupyter calls ``_repr_html_``, or ``_repr_markdown_`` where it shows no HTML; both show every table as the program
    prints it, without the columns that are there on demand.
    """

    __slots__ = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables of this result, the one that :meth:`to_dicts` is about first."""
        raise NotImplementedError

    def to_dicts(self) -> list[dict[str, Plain]]:
        """The rows of the first table, as :meth:`Table.to_dicts` has them."""
        return self.tables[0].to_dicts()

    def _repr_html_(self) -> str:
        return "\n".join(table._repr_html_() for table in self.tables)

    def _repr_markdown_(self) -> str:
        return "\n".join(table._repr_markdown_() for table in self.tables)
