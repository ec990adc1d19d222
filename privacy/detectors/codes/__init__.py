"""Codes: numbers of offices, banks and things, known by how they are written and by a checksum."""
