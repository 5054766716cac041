import os
from importlib.util import find_spec

SECRET_KEY = "a benchmark has no secrets"
INSTALLED_APPS = ["readings", "articles", "shop"]
ROOT_URLCONF = "config.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

# The kernel's benchmark runs plain manage.py on a database that it has made.
NAME = os.environ.get("BODIES_NAME", "")
DATABASES = {
    "sqlite": {"ENGINE": "django.db.backends.sqlite3", "NAME": NAME or "db.sqlite3"},
    "postgresql": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": NAME or os.environ.get("PGDATABASE", "postgres"),
        "HOST": os.environ.get("PGHOST", ""),
        "PORT": os.environ.get("PGPORT", ""),
        "USER": os.environ.get("PGUSER", ""),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
    },
    "mysql": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": NAME or "bodies",
        "HOST": os.environ.get("MARIADB_SOCKET", ""),
        "USER": os.environ.get("MARIADB_USER", ""),
        "PASSWORD": os.environ.get("MARIADB_PASSWORD", ""),
    },
}
VENDOR = os.environ.get("BODIES_DATABASE", "sqlite")
DATABASES = {"default": DATABASES[VENDOR]}
if VENDOR == "mysql" and find_spec("MySQLdb") is None:
    import pymysql

    pymysql.install_as_MySQLdb()

# Of readings.0033: a size that the migration's own code does not name.
READINGS_BUFFER = 60_000
