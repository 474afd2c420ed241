"""ONNX files as networks. They are read without their weights, and no code in them runs."""
