"""The steps that a file of declared steps may name: a module an idea."""
