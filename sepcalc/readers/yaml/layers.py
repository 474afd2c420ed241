"""Every layer type there is: importing this module fills the registry."""

from sepcalc.readers.yaml import layers_convolution, layers_join, layers_operator
from sepcalc.readers.yaml.layer_types import LAYER_TYPES, LayerType, layer_type

__all__ = ["LAYER_TYPES", "LayerType", "layer_type", "layers_convolution", "layers_join", "layers_operator"]
