"""Every layer type there is: importing this module fills the registry."""

from sepcalc.readers.yaml import layers_convolution as yaml_layers_convolution
from sepcalc.readers.yaml import layers_join as yaml_layers_join
from sepcalc.readers.yaml import layers_operator as yaml_layers_operator
from sepcalc.readers.yaml.layer_types import LAYER_TYPES, LayerType, layer_type

__all__ = [
    "LAYER_TYPES",
    "LayerType",
    "layer_type",
    "yaml_layers_convolution",
    "yaml_layers_join",
    "yaml_layers_operator",
]
