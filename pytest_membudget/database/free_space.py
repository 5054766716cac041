"""How many bytes may be written to the disk of the scratch databases."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# A clone takes as much again as its source, and other programs write to the disk too.
_SHARE = 0.4
# Where the free space is unknown: the server runs on another machine.
_UNKNOWN_BYTES = 8 * 1024**3
# The first sample only shows the time a row takes, and whether the migration works.
FIRST_BYTES = 256 * 1024**2


def room_for_a_seed(free: int | None, size: int = 0) -> int:
    """Bytes that a seeded database may take in all; it takes ``size`` bytes already.

    ``free`` is the free space of the disk, None where that is unknown.
    """
    return int((_UNKNOWN_BYTES if free is None else free + size) * _SHARE)


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of a folder, or of its nearest parent that this user may open."""
    folders = (folder, *folder.parents)
    return shutil.disk_usage(next(one for one in folders if os.access(one, os.X_OK))).free
