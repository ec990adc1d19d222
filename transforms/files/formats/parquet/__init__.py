"""Parquet, by row groups and by columns."""
