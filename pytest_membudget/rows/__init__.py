"""Rows of a real database: their file, and the masks that values wear in it."""
