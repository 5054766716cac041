"""What a statement reads, writes and filters by."""
