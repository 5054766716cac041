"""Nautobot, with a folder for its files that is removed at the end, and without Redis."""

import atexit
import os
import tempfile

_data = tempfile.TemporaryDirectory()
atexit.register(_data.cleanup)
os.environ |= {
    "NAUTOBOT_ROOT": _data.name,
    "NAUTOBOT_DB_ENGINE": "django.db.backends.postgresql",
    "NAUTOBOT_DB_HOST": os.environ["PGHOST"],
    "NAUTOBOT_DB_PORT": os.environ["PGPORT"],
    "NAUTOBOT_DB_USER": os.environ["PGUSER"],
    "NAUTOBOT_DB_PASSWORD": os.environ["PGPASSWORD"],
}

from nautobot.core.settings import *  # noqa: E402, F403

SECRET_KEY = "x"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CONSTANCE_BACKEND = "constance.backends.memory.MemoryBackend"
