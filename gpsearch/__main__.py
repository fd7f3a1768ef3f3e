"""``python -m gpsearch`` is the command ``gpsearch``."""

import sys

from gpsearch.cli import main

sys.exit(main())
