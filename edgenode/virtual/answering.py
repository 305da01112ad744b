"""What serial instruments have in common that speak only when they are spoken to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final

from edgenode.virtual.kinds import Action
from edgenode.virtual.playing import Playing
from edgenode.virtual.truth import Truth

SILENCE_NS: Final = 50_000_000  # the frame before is over; generous, since a host is not a UART


class Answering(Playing):
    """A SerialInstrument; `hear` is for those that derive from it."""

    def __init__(self, spec: Any, truth: Truth, start_ns: int, seed: int) -> None:
        super().__init__(spec, truth, start_ns, seed)
        self.spec = spec
        self._heard = b""

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to misbehave, or return; what was half heard is forgotten."""
        super().act(action, now_ns)
        self._heard = b""

    def next_ns(self) -> int | None:
        """Return None: it says nothing by itself."""
        return None

    def speak(self, now_ns: int) -> bytes:
        """Return nothing."""
        del now_ns
        return b""


class Slave(Answering, ABC):
    """Takes for a frame what comes between two silences; several can stand on one cable."""

    request_bytes: ClassVar[int]  # of every frame that it is asked by

    def __init__(self, spec: Any, truth: Truth, start_ns: int, seed: int) -> None:
        super().__init__(spec, truth, start_ns, seed)
        self._heard_ns = start_ns

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Return the answer where `data` ends a frame for this part."""
        if now_ns - self._heard_ns > SILENCE_NS:
            self._heard = b""
        self._heard_ns = now_ns
        self._heard += data
        if len(self._heard) < self.request_bytes:
            return b""
        frame, self._heard = self._heard, b""
        answer = self._answer(frame, now_ns)
        if self._fate == "garbage":
            return self._random.randbytes(len(answer))
        return answer if self._fate == "ok" else b""

    @abstractmethod
    def _answer(self, frame: bytes, now_ns: int) -> bytes:
        """Return what it says to a frame, and log it; nothing to one that is not for it."""
