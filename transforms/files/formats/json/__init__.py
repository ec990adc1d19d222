"""JSON Lines, in byte ranges, written column by column."""
