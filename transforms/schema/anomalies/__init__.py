"""What can be wrong between data and a schema: one file an area, the table in `rules.py`."""
