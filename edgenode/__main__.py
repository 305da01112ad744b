"""`python -m edgenode` is the command `edgenode`."""

import sys

from edgenode.cli import main

sys.exit(main())
