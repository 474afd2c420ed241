"""Grids of convolutions and networks: what a number changes when it is varied."""
