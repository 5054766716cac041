"""``python -m pytest_membudget``."""

import sys

from pytest_membudget.cli import main

sys.exit(main())
