"""Everything that crosses the border of a process, as frozen dataclasses, and how it is written.

``server`` and ``orders`` are spoken with a database server process; ``job``, ``reply`` and
``child_log`` with a worker, in modules of their own since it is weighed with what it imports.
"""
