"""A transform graph and a model as one SavedModel, to serve raw rows."""
