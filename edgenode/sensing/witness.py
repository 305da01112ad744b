"""Whether the whole bus is silent or one sensor of it: who is not asked for long is asked now."""

from __future__ import annotations

from collections.abc import Sequence

from edgenode.sensing.runner import Runner


class Witnesses:
    """Sensors of one bus that are seldom asked: a held wire must not wait for their slots.

    `grace_ms` is how long the slots themselves have time to bring an answer; no part needs so
    much rest between two reads.
    """

    def __init__(self, grace_ms: int) -> None:
        self._grace_ms = grace_ms
        self._suspect_ms: int | None = None  # since when some sensor is silent

    def next(self, runners: Sequence[Runner], rung_ms: int | None, now_ms: int) -> Runner | None:
        """Return whom to ask out of turn; None where nobody must be.

        One that was not asked since the first of them fell silent; once all are, one that was not
        asked since `rung_ms`, the boot-time of the last rung.
        """
        silent = [runner.silent for runner in runners]
        if not any(silent):
            self._suspect_ms = None
            return None
        if self._suspect_ms is None:
            self._suspect_ms = now_ms
        since_ms = rung_ms if all(silent) else self._suspect_ms
        if since_ms is None or now_ms - since_ms < self._grace_ms:
            return None
        return next((r for r in runners if (r.tried_ms or 0) <= since_ms), None)
