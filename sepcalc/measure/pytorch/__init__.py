"""Timing with PyTorch. Modules are built, checked against the prediction and run here alone."""
