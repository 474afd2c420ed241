"""Run as ``python -m sepcalc``."""

from sepcalc.cli.main import main

main()
