"""Run as ``python -m sepcalc``."""

from sepcalc.cli import main

main()
