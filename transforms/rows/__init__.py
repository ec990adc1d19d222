"""The bridge between batches and pipelines of rows."""
