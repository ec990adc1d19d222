"""SavedModels as they lie on disk: their graphs, and what these do outside of TensorFlow."""
