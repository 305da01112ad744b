"""Logging to stderr, which systemd keeps, each line with the level that journald reads."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Final, TextIO

# sd-daemon(3): "<N>" at the beginning of a line is its syslog level.
LEVELS: Final = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
LONGEST: Final = 2_000  # characters of a line; a message from outside shall not fill a journal


class JournalFormatter(logging.Formatter):
    """Marks every line of a message, a traceback's too, with the level of the message."""

    def format(self, record: logging.LogRecord) -> str:
        mark = f"<{LEVELS.get(record.levelno, 6)}>"
        lines = super().format(record).splitlines()
        return "\n".join(f"{mark}{line[:LONGEST]}" for line in lines)


def to_journal(stream: TextIO, environment: Mapping[str, str] = os.environ) -> None:
    """Send what the daemon logs to `stream`: marked for journald where it listens, else plain."""
    handler = logging.StreamHandler(stream)
    if "JOURNAL_STREAM" in environment:
        handler.setFormatter(JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
