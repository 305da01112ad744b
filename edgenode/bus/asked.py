"""A part that talks when there is something to tell: whether it lives, only asking can show."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from edgenode.bus.newest import Cutter, lumps
from edgenode.bus.wires import SerialPort
from edgenode.errors import BadFrame, BusTimeout


class Question(NamedTuple):
    """What to ask a part, what answers it, and what to say when nothing does."""

    part: str
    words: bytes
    answers: Callable[[bytes], bool]  # whether a frame is the answer
    within_s: float
    if_silent: str  # what to check where no byte comes
    if_noisy: str  # what to check where bytes come that are no answer


class Asked:
    """Listens to one port, from its construction on; used by the thread of its bus."""

    def __init__(
        self, port: SerialPort, cutter: Cutter, question: Question, clock: Callable[[], float]
    ) -> None:
        self._port, self._cutter, self._question, self._clock = port, cutter, question, clock
        port.discard()  # what came before is about some other time

    def fileno(self) -> int:
        """Return the port's descriptor, readable when the part has spoken."""
        return self._port.fileno()

    def heard(self) -> list[bytes]:
        """Take in what was said; return its frames, oldest first. Raises BusError."""
        return self._cutter.cut(self._port.arrived())

    def ask(self) -> list[bytes]:
        """Ask, and return the frames up to the answer and right behind it, oldest first.

        Raises BusError, and where no answer came BadFrame if there was noise, else BusTimeout.
        """
        question = self._question
        frames = self.heard()
        self._port.write(question.words)
        noise = 0
        for data in lumps(self._port, self._clock, question.within_s):
            said = self._cutter.cut(data)
            frames += said
            if any(map(question.answers, said)):
                return frames
            noise += len(data)
        raise self._nothing(noise)

    def say(self, words: bytes) -> None:
        """Say something that needs no answer. Raises BusError."""
        self._port.write(words)

    def close(self) -> None:
        """Give the port back; the part goes on talking to nobody."""
        self._port.close()

    def _nothing(self, noise: int) -> BadFrame | BusTimeout:
        question = self._question
        if noise:
            words = f"{noise} bytes and no answer"
            return BadFrame(f"{question.part}: {words}; {question.if_noisy}")
        since = f"within {question.within_s:.1f} s"
        return BusTimeout(f"{question.part}: no answer {since}; {question.if_silent}")
