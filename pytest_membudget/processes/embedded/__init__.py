"""The private PostgreSQL server of a run, for ``membudget_server = embedded``."""
