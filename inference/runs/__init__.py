"""Where the calls of a loaded model are made: here, or on devices in turn."""
