"""Rows to tables by the Storage Write API: Arrow requests, connections, what becomes of each."""
