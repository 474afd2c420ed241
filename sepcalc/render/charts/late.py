"""Altair as ``alt``, imported when the first chart is made: its import takes longer than a whole table.

To mypy ``alt`` is Altair itself, so it finds wrong names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

__all__ = ["Layers", "alt", "data_of"]

if TYPE_CHECKING:
    import altair as alt
else:

    class _Altair:
        def __getattr__(self, name: str) -> Any:
            import altair

            return getattr(altair, name)

    alt = _Altair()

Layers: TypeAlias = "alt.LayerChart | alt.FacetChart"
"""Marks in one plot, as Altair has them."""


def data_of(name: str) -> alt.Chart:
    """A chart of the dataset ``name``, to which marks can be added."""
    return alt.Chart(alt.NamedData(name=name))
