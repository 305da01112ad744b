"""Which parts the kernel itself reads: each driver of its files says what it sees."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from edgenode.bus import open_tree
from edgenode.driver import loadable
from edgenode.scan.found import Seen


def survey_sysfs(path: str, stop: threading.Event) -> Iterator[Seen]:
    """Yield every part that a driver of the kernel's files finds. Raises BusError."""
    tree = open_tree(path)
    try:
        for name, driver in loadable().items():
            if driver.wire != "sysfs" or stop.is_set():
                continue
            for found in driver.survey(tree):
                yield Seen("", found.words, name, found.options)
    finally:
        tree.close()
