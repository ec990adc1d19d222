"""Images: a folder of them as rows of path and bytes."""
