"""Values outside a feature's domain: one file a kind of domain."""
