"""Every layer type there is: importing this module fills the registry."""

from sepcalc import yaml_layers_convolution, yaml_layers_join, yaml_layers_operator
from sepcalc.yaml_layer_registry import LAYER_TYPES, LayerType, layer_type

__all__ = [
    "LAYER_TYPES",
    "LayerType",
    "layer_type",
    "yaml_layers_convolution",
    "yaml_layers_join",
    "yaml_layers_operator",
]
