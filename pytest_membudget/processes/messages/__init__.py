"""What processes say to each other, as dataclasses, and how these are written.

``server`` and ``orders`` are for a database server process; ``job``, ``reply`` and ``statements``
are for a worker, in modules of their own since it is weighed with what it imports.
"""
