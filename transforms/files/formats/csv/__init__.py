"""CSV and TSV, in byte ranges, with cells that span lines."""
