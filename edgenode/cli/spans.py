"""Time spans as people write them on the command line."""

from __future__ import annotations

import argparse
import re

UNITS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
MOST_S = 100 * 365 * 86_400


def seconds(text: str) -> int:
    """Read "90s", "30min", "2h" or "3d"; an error of argparse for anything else."""
    match = re.fullmatch(r"([0-9]{1,9}) ?(s|min|m|h|d)", text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time span; write 30min, 2h or 3d")
    found = int(match[1]) * UNITS[match[2]]
    if not 0 < found <= MOST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time span that can be meant")
    return found
