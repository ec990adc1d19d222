"""Flex Templates: their generated specs and the linter."""
