"""Every layer type there is: importing this module fills the registry."""

from sepcalc import layers_convolution, layers_join, layers_operator
from sepcalc.layer_registry import LAYER_TYPES, LayerType, layer_type

__all__ = ["LAYER_TYPES", "LayerType", "layer_type", "layers_convolution", "layers_join", "layers_operator"]
