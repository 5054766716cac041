"""How much may be written where the scratch databases lie."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# A clone stands beside its source, and the disk is not ours alone.
_SHARE = 0.4
# Of a server's disk nothing is known, unless the server runs on this machine.
_UNKNOWN_BYTES = 8 * 1024**3
# The first sample only tells the time a row and whether the migration works at all.
FIRST_BYTES = 256 * 1024**2


def room_for_a_seed(free: int | None, size: int = 0) -> int:
    """Bytes that a seeded database may take, ``size`` of which it takes already.

    ``free`` is what the disk has left, None where that isn't known.
    """
    return int((_UNKNOWN_BYTES if free is None else free + size) * _SHARE)


def free_bytes(folder: Path) -> int:
    """Bytes free where a folder lies, or the nearest one above that this user may look into."""
    folders = (folder, *folder.parents)
    return shutil.disk_usage(next(one for one in folders if os.access(one, os.X_OK))).free
