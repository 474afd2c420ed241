"""Everything that a convolution or a network becomes: code to print, PyTorch modules, and their check."""
