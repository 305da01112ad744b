"""The whole suite on two cores: `pytest -n 2 --dist loadscope --no-loadscope-reorder`.

A worker is given a whole directory at a time. The directories that share the machine's own state
(loop devices, mounts, units, whole guests) or time real processes make up one lane, so that no two
of them run side by side. Its first directory is the first of all, so it is begun first.
"""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadScopeScheduling

ONE_LANE: Final = frozenset(
    {
        "brokers", "commission", "demo", "disk", "flash", "fleet", "image", "install", "lab",
        "node", "packaging", "road", "systemd", "update", "uplink",
    }
)  # fmt: skip


class Lanes(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Hands out the tests by directory, and those of ONE_LANE as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        directory = nodeid.split("/")[1]
        return "one lane" if directory in ONE_LANE else directory
