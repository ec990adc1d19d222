"""Models by URI: what is known of them before their weights are loaded."""
