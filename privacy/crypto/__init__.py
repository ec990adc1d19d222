"""The cryptography of pseudonyms, on whole columns: FF1, AES-SIV tokens, keyed hashes, keys."""
