"""All or nothing: the ledger, staging, publishing, dead letters."""
