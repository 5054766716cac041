"""pulpcore, with its key and its files in a folder that is removed at the end."""

import atexit
import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

_data = tempfile.TemporaryDirectory()
atexit.register(_data.cleanup)
_key = Path(_data.name) / "database_fields.symmetric.key"
_key.write_bytes(Fernet.generate_key())
_database = "PULP_DATABASES__default__"
os.environ |= {
    "PULP_DB_ENCRYPTION_KEY": str(_key),
    "PULP_DEPLOY_ROOT": _data.name,
    "PULP_WORKING_DIRECTORY": _data.name,
    "PULP_FILE_UPLOAD_TEMP_DIR": _data.name,
    "PULP_SECRET_KEY": "x",
    "PULP_CONTENT_ORIGIN": "http://localhost",
    f"{_database}HOST": os.environ["PGHOST"],
    f"{_database}PORT": os.environ["PGPORT"],
    f"{_database}USER": os.environ["PGUSER"],
    f"{_database}PASSWORD": os.environ["PGPASSWORD"],
}

from pulpcore.app.settings import *  # noqa: E402, F403
