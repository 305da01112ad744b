"""Something that the node switches: a lamp, a power pin."""

from __future__ import annotations

import errno

from edgenode.virtual.conduct import FATES, Refused, Silent
from edgenode.virtual.kinds import Action, Offset, Table
from edgenode.virtual.truth import Truth


class LampSpec(Table, frozen=True, tag_field="kind", tag="lamp"):
    """[[instrument]] kind = "lamp": every level that the node puts on the line is truth."""

    sensor: str
    bus: str = "gpio"
    line: Offset = 0


class VirtualLamp:
    """One output line; nobody driving it, it is low."""

    def __init__(self, spec: LampSpec, truth: Truth, start_ns: int) -> None:
        del start_ns  # it does nothing by itself
        self.spec = spec
        self._truth = truth
        self._high = False
        self._conduct: Action = "return"

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to misbehave, or return; what vanishes is dark."""
        self._conduct = action
        if action == "vanish":
            self.release(now_ns)

    def drive(self, high: bool, now_ns: int) -> None:  # noqa: FBT001 - the level of a line
        """Take the level that the node puts on the wire; raises Refused or Silent."""
        fate = FATES[self._conduct]
        if fate in {"ok", "garbage"}:  # an output has nothing to say that could be garbage
            self._set(high=high, now_ns=now_ns)
        elif fate == "hang":
            raise Silent
        else:
            raise Refused(errno.ENODEV)

    def level(self) -> bool:
        """Return whether the wire is high."""
        return self._high

    def release(self, now_ns: int) -> None:
        """Take note that the node has given the line back and nobody drives it."""
        self._set(high=False, now_ns=now_ns)

    def _set(self, *, high: bool, now_ns: int) -> None:
        if high != self._high:
            self._high = high
            self._truth.note(f"{self.spec.sensor}/level", int(high), now_ns // 1_000_000, "ok")
