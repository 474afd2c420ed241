"""The language of network files. A layer type is a record with its arguments and the layers that it makes."""
