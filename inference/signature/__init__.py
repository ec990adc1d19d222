"""What a model takes and gives, and which columns feed it."""
