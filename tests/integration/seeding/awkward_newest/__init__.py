"""Models that need Django 5.2."""
