"""What a convolution costs, and what writing it as separable stages saves.

>>> from sepcalc import ConvSpec, compare
>>> comparison = compare(ConvSpec.of(64, 128, k=3, size=56))
>>> [(row.variant.name, row.params, row.macs) for row in comparison.candidates][1]
('depthwise-separable', 8768, 27496448)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sepcalc.core.comparison import Candidate, Comparison, compare
from sepcalc.core.errors import SepcalcError, SpecError
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import Variant, choose

if TYPE_CHECKING:
    from sepcalc.core.layer_tables import layer_table as layer_table
    from sepcalc.core.network import Network as Network
    from sepcalc.core.network_tables import network_table as network_table
    from sepcalc.core.network_tables import totals_table as totals_table
    from sepcalc.readers.sources import open_source as open_source
    from sepcalc.readers.yaml.reader import load as load
    from sepcalc.readers.yaml.reader import read as read

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
    "layer_table",
    "load",
    "network_table",
    "open_source",
    "read",
    "totals_table",
]

_LAZY = {
    "Network": "sepcalc.core.network",
    "layer_table": "sepcalc.core.layer_tables",
    "load": "sepcalc.readers.yaml.reader",
    "network_table": "sepcalc.core.network_tables",
    "open_source": "sepcalc.readers.sources",
    "read": "sepcalc.readers.yaml.reader",
    "totals_table": "sepcalc.core.network_tables",
}
"""What one layer does not need is imported when it is first asked for: YAML and the tables of networks."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LAZY:
        raise AttributeError(f"module 'sepcalc' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value
