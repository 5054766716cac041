"""The processes of a check: the server of scratch databases, and the worker that is measured."""
