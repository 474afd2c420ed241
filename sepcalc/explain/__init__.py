"""Derivations of counts, from symbols to numbers: as values, and as text in each format."""
