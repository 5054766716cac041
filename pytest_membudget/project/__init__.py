"""The user's Django project: its migrations, settings and source."""
