"""Google Cloud DLP as an engine: tables filled to its limits, many requests in flight, no row lost."""
