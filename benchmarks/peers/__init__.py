"""What others do with the same rows: Beam as it is, TFDV, Presidio."""
