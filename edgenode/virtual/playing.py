"""What instruments have in common: rows that they play, conduct, noise, and the log of truth."""

from __future__ import annotations

import errno
import random
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final

from edgenode.virtual.conduct import FATES, Refused, Silent
from edgenode.virtual.kinds import READ, Action, Fate, Message
from edgenode.virtual.truth import Truth

SEED: Final = 2  # of the garbage of a chip


class Playing:
    """Plays a row of its series each `every_ms` of its spec, from `start_ns` of boot-time on.

    `seed` makes garbage random, but the same every time.
    """

    quantities: ClassVar[tuple[str, ...]]  # of each line of the log

    def __init__(self, spec: Any, truth: Truth, start_ns: int, seed: int) -> None:
        self._sensor: str = spec.sensor
        self._row_ns: int = spec.every_ms * 1_000_000
        self._truth, self._start_ns = truth, start_ns
        self._conduct: Action = "return"
        self._random = random.Random(seed)  # noqa: S311 - noise on a wire, not a secret

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to misbehave, or return; what vanished comes back freshly powered."""
        if self._conduct == "vanish" and action != "vanish":
            self._power_up(now_ns)
        self._conduct = action

    def _power_up(self, now_ns: int) -> None:
        """Begin as the part does when it gets power; as it is, nothing is forgotten."""

    @property
    def _fate(self) -> Fate:
        return FATES[self._conduct]

    def _row(self, now_ns: int) -> int:
        return (now_ns - self._start_ns) // self._row_ns

    def _log(self, values: tuple[float, ...], at_ns: int, fate: Fate) -> None:
        for quantity, value in zip(self.quantities, values, strict=True):
            self._note(quantity, value, at_ns, fate)

    def _note(self, quantity: str, value: float, at_ns: int, fate: Fate) -> None:
        self._truth.note(f"{self._sensor}/{quantity}", value, at_ns // 1_000_000, fate)


class Chip(Playing, ABC):
    """An I2CInstrument; it logs what it would have said when it is silent or absent too.

    It measures what its spec plays under the names of `quantities`, unless `_values` says more.
    """

    def __init__(self, spec: Any, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec = spec

    def transact(self, messages: list[Message], now_ns: int) -> bytes:
        """Answer one transaction with the bytes read; raises Refused or Silent."""
        fate = self._fate
        if fate in {"hang", "nack"}:
            self._log(self._values(now_ns), now_ns, fate)
            raise Silent if fate == "hang" else Refused(errno.ENXIO)
        answer = b""
        for message in messages:
            if message.flags & READ:
                answer += self._answered(message.length, now_ns, fate)
            else:
                self._written(message.data, now_ns)
        return answer

    def _values(self, now_ns: int) -> tuple[float, ...]:
        """Return what it measures now, a value for each of `quantities`."""
        row = self._row(now_ns)
        return tuple(getattr(self.spec, name).value(row) for name in self.quantities)

    @abstractmethod
    def _answered(self, length: int, now_ns: int, fate: Fate) -> bytes:
        """Return the bytes of a message that reads; raises Refused."""

    @abstractmethod
    def _written(self, data: bytes, now_ns: int) -> None:
        """Take in a message that writes; raises Refused."""
