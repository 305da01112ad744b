"""What is known of an update while it goes on, in one small file that outlives reboots.

It lies on the data partition, which both systems share: the one that installs writes down what
worked, the one that is tried must do as well, and the one that is left reads how it ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from edgenode import durable
from edgenode.errors import NodeError

FORMAT: Final = 1
PLACE: Final = Path("update") / "trial.json"  # of the state directory
MOST_BYTES: Final = 1 << 20
INSTALLING, ARMED, TRYING = "installing", "armed", "trying"
GOOD, RETURNED, FAILED, WITHDRAWN = "good", "returned", "failed", "withdrawn"
OVER: Final = frozenset({GOOD, RETURNED, FAILED, WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Trial:
    """One update. Times are POSIX ms of the node's clock, boots are the kernel's boot ids."""

    stage: str
    version: str  # of what is installed
    slot: str  # where to: A or B
    from_version: str
    sensors: tuple[str, ...]  # those that worked before, which must work again
    linked: bool  # whether there was a network before
    installed_utc_ms: int
    installed_boot: str
    began_boot: str = ""  # in which it is tried
    began_boot_ms: int = 0  # boot-time
    began_utc_ms: int | None = None
    lacking: tuple[str, ...] = ()  # what the last look did not find
    ended_utc_ms: int | None = None
    why: str = ""  # how it ended, in words

    @property
    def over(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self.stage in OVER

    def ended(self, stage: str, why: str, utc_ms: int) -> Trial:
        """Return it as ended."""
        return replace(self, stage=stage, why=why, ended_utc_ms=utc_ms)


def load(state: Path) -> Trial | None:
    """Return the last update; None where none is known or the file is damaged."""
    try:
        with (state / PLACE).open("rb") as file:
            return parsed(file.read(MOST_BYTES))
    except OSError:
        return None


def parsed(data: bytes) -> Trial | None:
    """Return the update that a file tells of; None where it is damaged, or of another format."""
    try:
        told = json.loads(data)
        if told.pop("format") != FORMAT:
            return None
        known = {field.name for field in fields(Trial)}
        values = {key: _value(value) for key, value in told.items() if key in known}
        return _checked(Trial(**values))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _value(value: Any) -> Any:
    return tuple(map(str, value)) if isinstance(value, list) else value


def _checked(trial: Trial) -> Trial:
    """Return it; raises ValueError where a damaged file gave a value of another kind."""
    for field, wanted in _kinds():
        if not isinstance(getattr(trial, field), wanted):
            raise ValueError(field)  # noqa: TRY004 - it is the file that is wrong
    return trial


def _kinds() -> Iterator[tuple[str, Any]]:
    kinds = {"str": str, "bool": bool, "int": int, "int | None": int | None}
    for field in fields(Trial):
        yield field.name, kinds.get(str(field.type), tuple)


def save(state: Path, trial: Trial) -> None:
    """Write it durably, whole or not at all; raises NodeError where that cannot be."""
    path = state / PLACE
    text = json.dumps({"format": FORMAT, **asdict(trial)}, indent=1)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        durable.write(path, text.encode(), 0o644, None)
    except OSError as exc:
        raise NodeError(
            f"{path}: cannot be written: {exc.strerror}; run this with sudo, and make room"
        ) from exc
