"""The cloud engine in a pipeline: at launch, in a bundle, and for dead letters of other steps."""
