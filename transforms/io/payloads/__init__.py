"""One module a kind of payload: what the bytes of a message hold."""
