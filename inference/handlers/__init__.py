"""One module for each kind of model; `inference.model.kinds.KINDS` names them.

A module has two functions. `describe(path, signature, trusted)` reads a model's signature, as
cheaply as its format allows, and a digest of it; `load(path, signature, trusted)` makes it a
`Program`.
"""
