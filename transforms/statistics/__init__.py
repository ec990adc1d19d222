"""Statistics of columns, in the form of TensorFlow Data Validation."""
