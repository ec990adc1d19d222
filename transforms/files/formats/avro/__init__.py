"""Avro object container files, through fastavro."""
