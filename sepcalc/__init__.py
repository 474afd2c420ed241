"""What a convolution costs, and what writing it as separable stages saves.

All that users import is here; where it lies inside the package may change.

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
from sepcalc.core.variants import Option, Stages, Variant, blueprint_separable, choose, spatial_separable, variant

if TYPE_CHECKING:
    from sepcalc.builders.snippets import code as code
    from sepcalc.builders.torch_network import build_network as build_network
    from sepcalc.builders.torch_stages import build_stages as build_stages
    from sepcalc.builders.torch_stages import parameter_count as parameter_count
    from sepcalc.conventions.counters import choose_counters as choose_counters
    from sepcalc.conventions.tables import reconcile_all as reconcile_all
    from sepcalc.conventions.tables import reconcile_table as reconcile_table
    from sepcalc.core.answers import comparison_answer as comparison_answer
    from sepcalc.core.answers import layer_answer as layer_answer
    from sepcalc.core.answers import network_answer as network_answer
    from sepcalc.core.layer_tables import layer_table as layer_table
    from sepcalc.core.modules import Call as Call
    from sepcalc.core.network import FeatureMap as FeatureMap
    from sepcalc.core.network import Network as Network
    from sepcalc.core.network_tables import comparison_table as comparison_table
    from sepcalc.core.network_tables import network_table as network_table
    from sepcalc.core.network_tables import totals_table as totals_table
    from sepcalc.explain.derivation import explain_layer as explain_layer
    from sepcalc.explain.prose import render_explanation as render_explanation
    from sepcalc.measure.layer import measure_layer as measure_layer
    from sepcalc.measure.loop import Plan as Plan
    from sepcalc.measure.network import measure_network as measure_network
    from sepcalc.measure.pytorch.bench import torch_bench as torch_bench
    from sepcalc.measure.record import load_measurement as load_measurement
    from sepcalc.measure.record import save_measurement as save_measurement
    from sepcalc.measure.run import Setting as Setting
    from sepcalc.readers.inputs import parse_input as parse_input
    from sepcalc.readers.sources import open_source as open_source
    from sepcalc.readers.yaml.arguments import Common as Common
    from sepcalc.readers.yaml.arguments import Whole as Whole
    from sepcalc.readers.yaml.layers import layer_type as layer_type
    from sepcalc.readers.yaml.reader import bundled as bundled
    from sepcalc.readers.yaml.reader import load as load
    from sepcalc.readers.yaml.reader import read as read
    from sepcalc.render.cells import texts as texts
    from sepcalc.render.charts.chart import save_chart as save_chart
    from sepcalc.render.charts.comparison import comparison_chart as comparison_chart
    from sepcalc.render.charts.layer import layer_chart as layer_chart
    from sepcalc.render.charts.measurement import measurement_chart as measurement_chart
    from sepcalc.render.charts.network import network_chart as network_chart
    from sepcalc.render.charts.sweep import sweep_chart as sweep_chart
    from sepcalc.render.formats import FORMATS as FORMATS
    from sepcalc.render.formats import Output as Output
    from sepcalc.render.formats import render_tables as render_tables
    from sepcalc.report.document import Made as Made
    from sepcalc.report.document import Subject as Subject
    from sepcalc.report.document import report_network as report_network
    from sepcalc.sweep.sweep import sweep_layer as sweep_layer
    from sepcalc.sweep.sweep import sweep_network as sweep_network

__version__ = "0.1.0"

__all__ = [
    "FORMATS",
    "Call",
    "Candidate",
    "Common",
    "Comparison",
    "ConvSpec",
    "FeatureMap",
    "Made",
    "Network",
    "Option",
    "Output",
    "Plan",
    "SepcalcError",
    "Setting",
    "SpecError",
    "Stages",
    "Subject",
    "Variant",
    "Whole",
    "__version__",
    "blueprint_separable",
    "build_network",
    "build_stages",
    "bundled",
    "choose",
    "choose_counters",
    "code",
    "compare",
    "comparison_answer",
    "comparison_chart",
    "comparison_table",
    "explain_layer",
    "layer_answer",
    "layer_chart",
    "layer_table",
    "layer_type",
    "load",
    "load_measurement",
    "measure_layer",
    "measure_network",
    "measurement_chart",
    "network_answer",
    "network_chart",
    "network_table",
    "open_source",
    "parameter_count",
    "parse_input",
    "read",
    "reconcile_all",
    "reconcile_table",
    "render_explanation",
    "render_tables",
    "report_network",
    "save_chart",
    "save_measurement",
    "spatial_separable",
    "sweep_chart",
    "sweep_layer",
    "sweep_network",
    "texts",
    "torch_bench",
    "totals_table",
    "variant",
]

_LAZY = {
    "Call": "sepcalc.core.modules",
    "Common": "sepcalc.readers.yaml.arguments",
    "FORMATS": "sepcalc.render.formats",
    "FeatureMap": "sepcalc.core.network",
    "Made": "sepcalc.report.document",
    "Network": "sepcalc.core.network",
    "Output": "sepcalc.render.formats",
    "Plan": "sepcalc.measure.loop",
    "Setting": "sepcalc.measure.run",
    "Subject": "sepcalc.report.document",
    "Whole": "sepcalc.readers.yaml.arguments",
    "build_network": "sepcalc.builders.torch_network",
    "build_stages": "sepcalc.builders.torch_stages",
    "bundled": "sepcalc.readers.yaml.reader",
    "choose_counters": "sepcalc.conventions.counters",
    "code": "sepcalc.builders.snippets",
    "comparison_answer": "sepcalc.core.answers",
    "comparison_chart": "sepcalc.render.charts.comparison",
    "comparison_table": "sepcalc.core.network_tables",
    "explain_layer": "sepcalc.explain.derivation",
    "layer_answer": "sepcalc.core.answers",
    "layer_chart": "sepcalc.render.charts.layer",
    "layer_table": "sepcalc.core.layer_tables",
    "layer_type": "sepcalc.readers.yaml.layers",
    "load": "sepcalc.readers.yaml.reader",
    "load_measurement": "sepcalc.measure.record",
    "measure_layer": "sepcalc.measure.layer",
    "measure_network": "sepcalc.measure.network",
    "measurement_chart": "sepcalc.render.charts.measurement",
    "network_answer": "sepcalc.core.answers",
    "network_chart": "sepcalc.render.charts.network",
    "network_table": "sepcalc.core.network_tables",
    "open_source": "sepcalc.readers.sources",
    "parameter_count": "sepcalc.builders.torch_stages",
    "parse_input": "sepcalc.readers.inputs",
    "read": "sepcalc.readers.yaml.reader",
    "reconcile_all": "sepcalc.conventions.tables",
    "reconcile_table": "sepcalc.conventions.tables",
    "render_explanation": "sepcalc.explain.prose",
    "render_tables": "sepcalc.render.formats",
    "report_network": "sepcalc.report.document",
    "save_chart": "sepcalc.render.charts.chart",
    "save_measurement": "sepcalc.measure.record",
    "sweep_chart": "sepcalc.render.charts.sweep",
    "sweep_layer": "sepcalc.sweep.sweep",
    "sweep_network": "sepcalc.sweep.sweep",
    "texts": "sepcalc.render.cells",
    "torch_bench": "sepcalc.measure.pytorch.bench",
    "totals_table": "sepcalc.core.network_tables",
}
"""What one layer does not need is imported when it is first asked for. A name here is no room's name: see decisions."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LAZY:
        raise AttributeError(f"module 'sepcalc' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
