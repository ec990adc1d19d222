"""What preprocess does before and beside its steps: ways to a graph, spans, the cache."""
