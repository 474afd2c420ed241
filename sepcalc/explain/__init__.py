"""Derivations of a count, from symbols to numbers. They are values; prose in each format is made of them."""
