"""The only room that knows Django: the migration graph, states, scratch databases and rows."""
