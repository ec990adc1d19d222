"""What jobs do besides their work where a policy is given: redaction, its evidence, erasure."""
