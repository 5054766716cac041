"""The ``membudget`` command."""
