"""The whole suite on two cores: `pytest -n 2 --dist loadscope --no-loadscope-reorder`.

A worker is given a whole directory at a time. The directories that share the machine's own state
(loop devices, mounts, units), fill it with guests and servers, or count its processes' time have
it for themselves: one worker runs them while the others wait.
"""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

ALONE: Final = frozenset(
    {
        "brokers", "disk", "fleet", "flash", "image", "install", "lab", "node", "packaging",
        "systemd", "update",
    }
)  # fmt: skip
SCOPE: Final = "alone"
NEARLY_DONE: Final = 2  # tests left, at which a worker is given what comes next


class Lanes(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Hands out the tests by directory; those of ALONE as if they were one, beside no other."""

    def _split_scope(self, nodeid: str) -> str:
        directory = nodeid.split("/")[1]
        return SCOPE if directory in ALONE else directory

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._waits(node):
            super()._assign_work_unit(node)

    def _waits(self, node: WorkerController) -> bool:
        """Whether another worker has what must be alone, and is not nearly done with it."""
        held = [work[SCOPE] for other, work in self.assigned_work.items()
                if other is not node and SCOPE in work]  # fmt: skip
        return any(list(unit.values()).count(False) > NEARLY_DONE for unit in held)

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        super().mark_test_complete(node, item_index, duration)
        for other in self.nodes:
            if other is not node:
                self._reschedule(other)
