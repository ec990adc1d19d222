"""Google Cloud Pub/Sub: a source that loses nothing, a sink, and their clients."""
