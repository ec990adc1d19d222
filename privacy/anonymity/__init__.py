"""How well rows hide among each other: k-anonymity and l-diversity by quasi-identifiers."""
