"""The bounds of edge-batch v1: every one is checked before anything of that size is made."""

from __future__ import annotations

VERSION = 1
MAX_BYTES = 262_144  # of a message
MAX_DEPTH = 16  # nested arrays and maps
MAX_ITEMS = 98_304  # of a message, integers in arrays not counted; bounds a hostile one's time
MAX_WORK = 65_536  # sum of rows x channels of the gid in the birth, plus events
MAX_ROWS = 4_096  # of a group
MAX_GROUPS = 4_096  # of a batch; each may be a single row, so the work limit alone bounds little
MAX_CHANNELS = 255  # of a gid
MAX_GID = 65_535
MAX_LOSSES = 64  # of a batch
MAX_COMMISSION = 4_096  # bytes of the record of a commissioning, in an about
MAX_STREAM = 15
MAX_UINT = 2**53 - 1  # uint53 of the schema; also the bound of every signed integer
MAX_VALUE = 2**50 - 1  # of a scaled value
EVERY_COLUMN = 255  # the `col` of a flag, and the channel index of an event, that mean all
