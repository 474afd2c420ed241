"""What the tests of a report are about."""

from sepcalc import load
from sepcalc.report.document import Provenance

MADE = Provenance(command="sepcalc report it -o it.html", version="1.2.3", date="2026-11-20", source="it")


NETWORK = load("mobilenet_v1")
