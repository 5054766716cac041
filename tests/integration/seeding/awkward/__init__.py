"""Models that are hard to fill with rows."""
