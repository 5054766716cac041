"""pulpcore, with its key and its files in a folder that is removed at the end."""

import atexit
import base64
import os
import tempfile
from pathlib import Path

_data = tempfile.TemporaryDirectory()
atexit.register(_data.cleanup)
_key = Path(_data.name) / "database_fields.symmetric.key"
# Each process of a check reads what another one has written.
_key.write_bytes(base64.urlsafe_b64encode(bytes(32)))
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
