"""The only room that knows memray: which lines grow, by how much, and what would end it."""
