"""Declared steps: read from YAML, analyzed without TensorFlow, written as a transform graph."""
