"""From columns to tensors, and from outputs to columns."""
