"""Programs that some tests need and that come neither with Python nor from PyPI.

A test that needs one has its mark, ``mariadb``, ``browser``, ``contrib`` or ``sqlite3``, and is
skipped where the program is missing.  In CI, where ``CI`` is set, it fails instead.

With ``FRESH_MACHINE=1`` the tests run as on a machine with nothing but Python: programs of this
machine are not used, PostgreSQL is the one from PyPI, and what is missing is skipped, in CI too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

FRESH = bool(os.environ.get("FRESH_MACHINE"))
STRICT = bool(os.environ.get("CI")) and not FRESH

_EXTENSIONS = Path("/usr/share/postgresql")


@dataclass(frozen=True)
class Need:
    """``name`` is what is needed, ``packages`` the Debian packages that bring it."""

    name: str
    packages: str
    programs: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why a test is skipped."""
        return f"needs {self.name} (apt-get install {self.packages})"

    @property
    def program(self) -> str | None:
        """Where the first of its programs is that this machine has; None without one."""
        found = map(shutil.which, () if FRESH else self.programs)
        return next(filter(None, found), None)

    @property
    def there(self) -> bool:
        return self.program is not None


class Contrib(Need):
    """Extensions of PostgreSQL such as hstore, which are no programs."""

    @property
    def there(self) -> bool:
        return not FRESH and any(_EXTENSIONS.glob("*/extension/hstore.control"))


NEEDS: Mapping[str, Need] = {
    "mariadb": Need("MariaDB", "mariadb-server", ("mariadbd",)),
    "browser": Need("Chromium", "chromium", ("chromium", "google-chrome")),
    "contrib": Contrib("PostgreSQL's extensions", "postgresql postgresql-contrib"),
    "sqlite3": Need("SQLite's client", "sqlite3", ("sqlite3",)),
}


def summary(reasons: Iterable[str]) -> str:
    """One line that says how many tests were skipped, why, and what installs what they need."""
    counted = Counter(reasons)
    parts = [
        f"{count} {reason.replace('needs', 'need', 1)}" for reason, count in counted.most_common()
    ]
    tests = "test" if counted.total() == 1 else "tests"
    return f"{counted.total()} {tests} skipped: {', '.join(parts)}" if parts else ""


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A file system in memory of that size, which skips the test without root."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here: that takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
