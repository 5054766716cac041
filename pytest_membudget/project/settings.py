"""Django's settings, loaded as the project itself loads them."""

from __future__ import annotations

import os
from typing import Any


def load_settings() -> Any:
    """Load Django's settings as ``manage.py`` would, django-configurations included."""
    if "DJANGO_CONFIGURATION" in os.environ:
        import configurations.importer

        configurations.importer.install()
    from django.conf import settings

    settings.DATABASES  # noqa: B018
    return settings
