"""PyTorch models as networks. A model runs once on tensors without data, and its trace becomes layers."""
