"""Whether the meter is the one of before: by a fingerprint of its number, which stays on the node.

16 bits are enough to notice another meter (all but one in 65,535), and too few to say which
household it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b

from edgenode.errors import SpoolError
from edgenode.sensing.job import Sink
from edgenode.sensing.register import Register


def fingerprint(number: str) -> int:
    """Return 1 to 65,535 for the number on a meter; 0 where there is none."""
    return int.from_bytes(blake2b(number.encode(), digest_size=2).digest(), "big") or 1


class Identities:
    """Whose each register of a sensor is; durable as `<channel> meter`, once for each meter."""

    def __init__(self, names: Mapping[str, str], sink: Sink) -> None:
        """Take the names of all counters as the birth has them, by quantity."""
        self._sink = sink
        self._keys = {name: f"{full} meter" for name, full in names.items()}
        self._kept = {name: sink.total(key) for name, key in self._keys.items()}
        self._said: Mapping[str, str] = {}
        self._meters: dict[str, int] = {}  # by quantity
        self._changed = False

    def of(self, said: Mapping[str, str], registers: Mapping[str, Register]) -> dict[str, int]:
        """Return the fingerprint of each register's meter, by quantity.

        `said` has the numbers of the meters. A register that does not know yet whose it was is
        told what was kept.
        """
        if said == self._said:
            return self._meters
        self._said, self._changed = dict(said), True
        named = {name: number for name, number in said.items() if number and name in registers}
        self._meters = {name: fingerprint(number) for name, number in named.items()}
        for first, name in self._firsts():
            kept = self._kept[first]
            if kept and not registers[name].meter:
                registers[name].meter = kept.value
        return self._meters

    def keep(self, now_ms: int) -> None:
        """Make durable which meters there are, once their registers know."""
        if not self._changed:
            return
        self._changed = False
        for name in {first for first, _ in self._firsts()}:
            meter, kept = self._meters[name], self._kept[name]
            if kept is None or kept.value != meter:
                with suppress(SpoolError):  # without room only what runs now knows it
                    self._sink.set_total(self._keys[name], meter, now_ms)
                self._kept[name] = self._sink.total(self._keys[name])

    def _firsts(self) -> Iterator[tuple[str, str]]:
        """Yield each quantity behind the first one of the same meter."""
        firsts: dict[int, str] = {}
        for name in sorted(self._meters):
            yield firsts.setdefault(self._meters[name], name), name
