"""Figures of columns that declared steps need: states that merge, of batches, days or workers."""
