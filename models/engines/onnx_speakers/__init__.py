"""Tells speakers apart with the ONNX models that sherpa-onnx publishes. Needs a pulled model."""
