"""Models of PostgreSQL that are hard to fill with rows."""
