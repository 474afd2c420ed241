"""Everything that becomes a network.

What a reader makes of its source is the same value, whatever the source was.
"""
