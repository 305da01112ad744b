"""Frames that were recorded from real parts: one a line, as `xxd` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parents[1] / "data"


def recorded(name: str) -> list[bytes]:
    """Return the frames of a file in tests/data, whose README has origin and licence."""
    lines = (DATA / name).read_text("ascii").splitlines()
    return [bytes.fromhex(line.split(": ")[1].split("  ")[0]) for line in lines]
