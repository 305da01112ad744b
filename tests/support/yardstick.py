"""How slow this machine is just now, so that a limit of CPU time judges the code and not it."""

from __future__ import annotations

import time

IDLE_MS = 16.0  # of the work below, on the idle machine on which the limits were set


def slowed() -> float:
    """Return how many times longer work takes than it did there; at least 1."""
    began, x = time.thread_time_ns(), 1
    for _ in range(400_000):
        x = x * 5 & 0xFFFF
    return max(1.0, (time.thread_time_ns() - began) / 1e6 / IDLE_MS)
