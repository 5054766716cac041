"""pretix, with a folder for its data that is removed at the end."""

import atexit
import os
import tempfile

_data = tempfile.TemporaryDirectory()
atexit.register(_data.cleanup)
os.environ |= {
    "DATA_DIR": _data.name,
    "PRETIX_DATABASE_BACKEND": "postgresql",
    "PRETIX_DATABASE_NAME": "production",
    "PRETIX_DATABASE_HOST": os.environ["PGHOST"],
    "PRETIX_DATABASE_PORT": os.environ["PGPORT"],
    "PRETIX_DATABASE_USER": os.environ["PGUSER"],
    "PRETIX_DATABASE_PASSWORD": os.environ["PGPASSWORD"],
}

from pretix.settings import *  # noqa: E402, F403
