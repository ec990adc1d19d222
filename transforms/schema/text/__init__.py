"""The text of a schema file: its entries, its slips, and edits that keep the rest."""
