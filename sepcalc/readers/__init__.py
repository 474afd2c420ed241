"""Readers of networks: whatever the source, the result is a :class:`~sepcalc.core.network.Network`."""
