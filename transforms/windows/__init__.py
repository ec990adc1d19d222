"""Event-time windows: which rows are in which, and batches of them."""
