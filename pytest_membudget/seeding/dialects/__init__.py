"""The SQL of each database that rows can be grown in."""
