"""Label Studio, with a folder for its data that is removed at the end, and no reports to Sentry."""

import atexit
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

_data = tempfile.TemporaryDirectory()
atexit.register(_data.cleanup)
os.environ |= {
    "BASE_DATA_DIR": _data.name,
    "DJANGO_DB": "default",
    "POSTGRE_HOST": os.environ["PGHOST"],
    "POSTGRE_PORT": os.environ["PGPORT"],
    "POSTGRE_USER": os.environ["PGUSER"],
    "POSTGRE_PASSWORD": os.environ["PGPASSWORD"],
}
# Its apps are imported by the names that they have beside its manage.py.
sys.path.insert(0, str(Path(importlib.util.find_spec("label_studio").origin).parent))

# It reads these settings while it defines them.
from core.settings.base import *  # noqa: E402, F403

SENTRY_DSN = FRONTEND_SENTRY_DSN = os.environ["SENTRY_DSN"] = ""

from core.settings.label_studio import *  # noqa: E402, F403
