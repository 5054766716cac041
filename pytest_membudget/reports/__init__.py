"""Reports: each is a function of the same :class:`Result` objects."""
