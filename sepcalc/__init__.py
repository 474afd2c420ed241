"""What a convolution costs, and what writing it as separable stages saves.

>>> from sepcalc import ConvSpec, compare
>>> comparison = compare(ConvSpec.of(64, 128, k=3, size=56))
>>> [(row.variant.name, row.params, row.macs) for row in comparison.candidates][1]
('depthwise-separable', 8768, 27496448)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sepcalc.comparison import Candidate, Comparison, compare
from sepcalc.errors import SepcalcError, SpecError
from sepcalc.spec import ConvSpec
from sepcalc.variants import Variant, choose

if TYPE_CHECKING:
    from sepcalc.network import Network as Network
    from sepcalc.reading import load as load

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "Comparison",
    "ConvSpec",
    "Network",
    "SepcalcError",
    "SpecError",
    "Variant",
    "__version__",
    "choose",
    "compare",
    "load",
]

_LAZY = {"Network": "sepcalc.network", "load": "sepcalc.reading"}
"""What needs YAML is imported when it is first asked for: one layer needs none of it."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LAZY:
        raise AttributeError(f"module 'sepcalc' has no attribute '{name}'")
    return getattr(import_module(_LAZY[name]), name)
