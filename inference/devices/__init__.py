"""The GPUs that a job asks for, and whether a worker sees them."""
