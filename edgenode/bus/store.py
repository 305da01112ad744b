"""Where lines wait for the next process: the descriptor store of the service manager."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Kept(NamedTuple):
    """A line that the process before handed over."""

    descriptors: tuple[int, ...]
    total: int  # at which it began to count


class LineStore(Protocol):
    """Keeps open lines by a name that says which line it is and how it was asked for."""

    def take(self, name: str) -> Kept | None:
        """Return what the process before kept under this name, once; it is ours now."""
        ...

    def put(self, name: str, descriptors: tuple[int, ...], total: int) -> None:
        """Keep these open for the next process."""
        ...

    def drop(self, name: str) -> None:
        """Let go of what is kept under this name, so that the line can be asked for anew."""
        ...
