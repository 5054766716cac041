"""``manage.py membudget``, where ``pytest_membudget`` is in ``INSTALLED_APPS``."""
