"""What a convolution and a network cost, as values and tables.

Everything else in the package reads these values.
"""
