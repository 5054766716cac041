"""Which lines of a migration grow, by how much, and what would end it (memray)."""
