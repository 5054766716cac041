"""What was requested: the migration, production's row counts, the limit, and their sources."""
