"""``python -m pytest_membudget``."""

import sys

from pytest_membudget.cli.main import main

sys.exit(main())
