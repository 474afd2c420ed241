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
    from sepcalc.core.layers import FeatureMap as FeatureMap
    from sepcalc.core.modules import Call as Call
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
    from sepcalc.measure.run import MeasurementSetup as MeasurementSetup
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
    from sepcalc.report.document import Provenance as Provenance
    from sepcalc.report.document import ReportSubject as ReportSubject
    from sepcalc.report.document import report_network as report_network
    from sepcalc.sweep.sweep import sweep_layer as sweep_layer
    from sepcalc.sweep.sweep import sweep_network as sweep_network

__version__ = "0.1.0"

_LAZY = {
    name: f"sepcalc.{module}"
    for module, names in {
        "builders.snippets": ("code",),
        "builders.torch_network": ("build_network",),
        "builders.torch_stages": ("build_stages", "parameter_count"),
        "conventions.counters": ("choose_counters",),
        "conventions.tables": ("reconcile_all", "reconcile_table"),
        "core.answers": ("comparison_answer", "layer_answer", "network_answer"),
        "core.layer_tables": ("layer_table",),
        "core.modules": ("Call",),
        "core.layers": ("FeatureMap",),
        "core.network": ("Network",),
        "core.network_tables": ("comparison_table", "network_table", "totals_table"),
        "explain.derivation": ("explain_layer",),
        "explain.prose": ("render_explanation",),
        "measure.layer": ("measure_layer",),
        "measure.loop": ("Plan",),
        "measure.network": ("measure_network",),
        "measure.pytorch.bench": ("torch_bench",),
        "measure.record": ("load_measurement", "save_measurement"),
        "measure.run": ("MeasurementSetup",),
        "readers.inputs": ("parse_input",),
        "readers.sources": ("open_source",),
        "readers.yaml.arguments": ("Common", "Whole"),
        "readers.yaml.layers": ("layer_type",),
        "readers.yaml.reader": ("bundled", "load", "read"),
        "render.cells": ("texts",),
        "render.charts.chart": ("save_chart",),
        "render.charts.comparison": ("comparison_chart",),
        "render.charts.layer": ("layer_chart",),
        "render.charts.measurement": ("measurement_chart",),
        "render.charts.network": ("network_chart",),
        "render.charts.sweep": ("sweep_chart",),
        "render.formats": ("FORMATS", "Output", "render_tables"),
        "report.document": ("Provenance", "ReportSubject", "report_network"),
        "sweep.sweep": ("sweep_layer", "sweep_network"),
    }.items()
    for name in names
}
"""What one layer does not need is imported when it is first asked for. A name here is no room's name: see decisions."""

__all__ = [  # noqa: PLE0604 (the keys are text)
    "Candidate",
    "Comparison",
    "ConvSpec",
    "Option",
    "SepcalcError",
    "SpecError",
    "Stages",
    "Variant",
    "__version__",
    "blueprint_separable",
    "choose",
    "compare",
    "spatial_separable",
    "variant",
    *_LAZY,
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LAZY:
        raise AttributeError(f"module 'sepcalc' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_LAZY[name]), name)
    return value


def __dir__() -> list[str]:
    return __all__
