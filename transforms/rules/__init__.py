"""Custom rules, in YAML and Python: parsed, checked against a schema, and judged by columns.

A rule is an expression in which values may be missing, and its logic is that of SQL: what is said
of a missing value is unknown, `unknown and false` is false, `unknown or true` is true. A row
violates a rule that is false of it, not one that is unknown: presence is for the schema to demand,
or for `is not null`.
"""
