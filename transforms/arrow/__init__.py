"""Arrow columns: types, casts that lose nothing unseen, JSON and base64 text, views, scalars."""
