"""Altair as ``alt``, imported when the first chart is made: its import takes longer than all that a table needs.

To mypy ``alt`` is Altair itself, so a wrong name is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["alt"]

if TYPE_CHECKING:
    import altair as alt
else:

    class _Altair:
        def __getattr__(self, name: str) -> Any:
            import altair

            return getattr(altair, name)

    alt = _Altair()


def data_of(name: str) -> alt.Chart:
    """A chart of the dataset ``name``, for marks to be drawn of it."""
    return alt.Chart(alt.NamedData(name=name))
