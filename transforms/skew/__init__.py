"""Skew between training and serving: the same rows joined by key and compared."""
