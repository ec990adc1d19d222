"""A local Flink cluster that runs Beam's jobs: for trying it, for tests, and for benchmarks."""
