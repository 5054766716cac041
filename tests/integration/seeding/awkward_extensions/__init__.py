"""Models that need extensions of PostgreSQL, which not every server has."""
