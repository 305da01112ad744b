"""The topics of one node; the rights on the broker go by the same table (docs/brokers.md)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """`<prefix>/<node>/…`, the node id in lower-case hex."""

    prefix: str
    node: bytes

    def _of(self, leaf: str) -> str:
        return f"{self.prefix}/{self.node.hex()}/{leaf}"

    def batch(self, stream: int) -> str:
        return self._of(f"batch/{stream}")

    def birth(self, schema: bytes) -> str:
        return self._of(f"birth/{schema.hex()}")

    @property
    def about(self) -> str:
        return self._of("about")

    @property
    def state(self) -> str:
        return self._of("state")

    @property
    def ack(self) -> str:
        return self._of("ack")
