"""What all formats of text share: blocks, ranges, records and casts."""
