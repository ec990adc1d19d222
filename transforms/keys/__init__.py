"""Rows by key: a stable hash, shards of keys, unique keys."""
