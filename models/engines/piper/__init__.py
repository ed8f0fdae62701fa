"""Speaks with Piper voices on ONNX Runtime. Needs a pulled voice."""
