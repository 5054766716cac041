"""What Python's cycle collector did while the migration ran.

Objects that refer to each other stay until the collector runs.  Those that have survived the two
younger generations stay until the oldest is collected, which happens only after it has grown by a
quarter.  Until then they look like memory that the migration keeps.
"""

from __future__ import annotations

import gc
from typing import Any

_OLDEST = 2
# The first comes early or late, by what Django has left there, and the second may find less than
# there will be: only then the peaks repeat.
SETTLED = 3


class Cycles:
    """Count the collections of the oldest generation since ``begin()``.

    ``collected`` says that ``facts()`` has made one: it goes through all objects of the project,
    which takes as long as a small migration.
    """

    collected = False

    def begin(self) -> None:
        self._collections, self._freed = self._now()

    def facts(self) -> dict[str, Any]:
        """``oldest_collections``, and ``cyclic_objects``: what they freed, and what waits for one.

        Nothing where the collector is off.  What waits is counted by one more collection, unless
        so many were there that it is a small part.  An incremental collector, whose third
        threshold is 0, does not say when it has been through: for it only what waits counts.
        """
        if not gc.isenabled():
            return {}
        collections, freed = self._now()
        collections -= self._collections
        freed -= self._freed
        if not gc.get_threshold()[_OLDEST]:
            return {"oldest_collections": 0, "cyclic_objects": self.collect()}
        waiting = self.collect() if collections < SETTLED else 0
        return {"oldest_collections": collections, "cyclic_objects": freed + waiting}

    def collect(self) -> int:
        """Collect all that waits, once; how many objects that were."""
        if self.collected:
            return 0
        self.collected = True
        return gc.collect()

    @staticmethod
    def _now() -> tuple[int, int]:
        stats = gc.get_stats()[_OLDEST]
        return stats["collections"], stats["collected"]
