"""The local engine: a policy carried out on Arrow columns, without an account."""
