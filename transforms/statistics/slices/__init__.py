"""Slices: rows by values of columns, by conditions and by Python functions."""
