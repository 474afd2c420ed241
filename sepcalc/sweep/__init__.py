"""Sweeps: the costs of convolutions and networks as their quantities vary."""
