"""Everything that crosses the border of a process, as frozen dataclasses, and how it is written.

Each side of a border is a module of its own, because the worker's is weighed: ``server`` is spoken
with the database server process, ``worker`` with the worker.
"""
