"""Serialized tf.Examples: the schema that they show, and batches made of them and into them."""
