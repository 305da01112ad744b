"""Where lines wait for who goes on with them: the next driver, or the next process."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple, Protocol

from edgenode.bus.wires import Bias, Edge

DIGITS: Final = 12  # 48 bits: a node has a few dozen lines


class Kept(NamedTuple):
    """A line that somebody before handed over."""

    descriptors: tuple[int, ...]
    total: int  # at which it began to count


class LineStore(Protocol):
    """Keeps open lines by a name that says which line it is and how it was asked for."""

    def take(self, name: str) -> Kept | None:
        """Return descriptors, for the caller to close, of what is kept under this name and alive.

        What is kept of the same line, asked for in another way, is let go.
        """
        ...

    def put(self, name: str, descriptors: tuple[int, ...], total: int) -> None:
        """Keep these open for the next driver or process, in place of what had this name."""
        ...

    def drop(self, name: str) -> None:
        """Let go of what is kept under this name, so that the line can be asked for anew."""
        ...


def line_name(path: str, offset: int, edge: Edge, bias: Bias, debounce_us: int) -> str:
    """Return the name of a line in a store: which line it is, a dash, how it was asked for."""
    return f"{_digest(path, offset)}-{_digest(edge, bias, debounce_us)}"


def place(name: str) -> str:
    """Return the part of a name that says which line it is."""
    return name.partition("-")[0]


def _digest(*parts: object) -> str:
    text = "\n".join(map(str, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
