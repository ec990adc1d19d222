"""Google Cloud DLP as an engine: tables filled to its limits, many in flight, no row lost."""
