"""Updates of running jobs: what two graphs have in common, and what Dataflow runs now."""
