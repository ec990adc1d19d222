"""Messages of tensorflow-metadata, and how the rules read them."""
