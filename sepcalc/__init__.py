"""What a convolution costs, and what writing it as separable stages saves.

>>> from sepcalc import ConvSpec, compare
>>> comparison = compare(ConvSpec.of(64, 128, k=3, size=56))
>>> [(row.variant.name, row.params, row.macs) for row in comparison.candidates][1]
('depthwise-separable', 8768, 27496448)
"""

from sepcalc.comparison import Candidate, Comparison, compare
from sepcalc.errors import SepcalcError, SpecError
from sepcalc.spec import ConvSpec
from sepcalc.variants import Variant, choose

__version__ = "0.1.0"

__all__ = [
    "Candidate",
    "Comparison",
    "ConvSpec",
    "SepcalcError",
    "SpecError",
    "Variant",
    "__version__",
    "choose",
    "compare",
]
