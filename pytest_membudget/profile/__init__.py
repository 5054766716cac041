"""The production profile: how many rows each table has and how wide its columns are."""
