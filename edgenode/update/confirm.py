"""The health gate: looks at a system that is tried until it has proved good, or has not in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from edgenode import __version__
from edgenode.clock import Clock
from edgenode.errors import NodeError
from edgenode.spool.confirmed import confirm
from edgenode.update import record
from edgenode.update.gate import Limits, Past, Seen, Step, Verdict, judge, looked
from edgenode.update.record import Trial
from edgenode.update.slots import Slots

LOOK_S: Final = 5.0
TRIES: Final = 12  # of asking RAUC: a minute
DEFAULT: Final = Limits()

Answer = TypeVar("Answer")


class Marks(Protocol):
    """Of RAUC, what is needed here; methods raise NodeError."""

    def slots(self) -> Slots: ...

    def mark_good(self) -> None: ...

    def mark_bad(self, which: str) -> None: ...


@dataclass(frozen=True)
class Around:
    """What the gate looks at and acts on."""

    marks: Marks
    state: Path
    clock: Clock
    status: Callable[[], Mapping[str, Any] | None]  # of the daemon; None or NodeError: no answer
    network: Callable[[], bool]
    restarts: Callable[[], int]
    pause: Callable[[float], bool]  # waits so many seconds; true: leave now
    tell: Callable[[str], None]
    limits: Limits = DEFAULT


class _Left(Exception):
    """Somebody ended the gate before it had decided anything."""


def gate(around: Around) -> bool:
    """Return whether the system that runs is good, waiting where that is to be proved.

    False: it has not proved good, or was told to leave; a reboot then leads to the other one.
    Raises NodeError where RAUC does not do what it is asked for.
    """
    try:
        slots = _insisted(around, around.marks.slots)
        trial = record.load(around.state)
        if slots.trying:
            return _tried(around, slots, trial)
    except _Left:
        around.tell("told to leave before anything was decided")
        return False
    _settle(around, slots, trial)
    return True


def _tried(around: Around, slots: Slots, trial: Trial | None) -> bool:
    """Judge the system that runs, and keep it or not."""
    trial = None if trial is None or trial.slot != slots.booted.name else _begun(around, trial)
    verdict = _watch(around, trial)
    if verdict.step is Step.LEAVE:
        _leave(around, trial, verdict)
        return False
    _insisted(around, around.marks.mark_good)
    _confirm(around)
    _end(around, trial, record.GOOD, verdict.why)
    around.tell(f"slot {slots.booted.name} is good: {verdict.why}")
    return True


def _insisted(around: Around, ask: Callable[[], Answer]) -> Answer:
    """Ask RAUC, which may be starting or busy; raises NodeError when it never does it."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except NodeError as exc:
            around.tell(f"{exc}; asked again in {LOOK_S:.0f} s")
            _pause(around, LOOK_S)
    return ask()


def _pause(around: Around, seconds: float) -> None:
    if around.pause(seconds):
        raise _Left


def _settle(around: Around, slots: Slots, trial: Trial | None) -> None:
    """Note what is so in a system that has proved good, and what has become of the other one."""
    _confirm(around)
    if trial is None or trial.over or trial.installed_boot == around.clock.boot_id():
        return
    if trial.slot == slots.booted.name:  # marked good, and cut before that was noted
        _end(around, trial, record.GOOD, "it has proved good")
        return
    around.marks.mark_bad("other")
    lacking = f": {'; '.join(trial.lacking)}" if trial.lacking else ""
    why = (
        f"it ran and did not prove good{lacking}"
        if trial.began_boot
        else "it never came so far as to be looked at, or was never started"
    )
    _end(around, trial, record.RETURNED, why)
    around.tell(f"back in slot {slots.booted.name} from {trial.slot} ({trial.version}): {why}")


def _confirm(around: Around) -> None:
    """Let the spool write what this version can; where that cannot be noted it goes on as it is."""
    try:
        confirm(around.state, __version__)
    except OSError as exc:
        around.tell(
            f"{around.state}: cannot be written: {exc.strerror}; the next start tries again"
        )


def _begun(around: Around, trial: Trial) -> Trial:
    """Note that the try has begun; a gate that is started anew goes on with the same deadline."""
    boot = around.clock.boot_id()
    if trial.began_boot == boot:
        return trial
    begun = replace(
        trial,
        stage=record.TRYING,
        began_boot=boot,
        began_boot_ms=around.clock.boot_ms(),
        began_utc_ms=around.clock.utc_ms(),
    )
    return _kept(around, begun)


def _kept(around: Around, trial: Trial) -> Trial:
    """Write it down where that can be: a disk that refuses is for the gate to judge."""
    try:
        record.save(around.state, trial)
    except NodeError as exc:
        around.tell(str(exc))
    return trial


def _end(around: Around, trial: Trial | None, stage: str, why: str) -> None:
    if trial is not None:
        _kept(around, trial.ended(stage, why, around.clock.utc_ms()))


def _watch(around: Around, trial: Trial | None) -> Verdict:
    """Look again and again; what is lacking is told, and written down, when it changes."""
    began_ms = trial.began_boot_ms if trial else around.clock.boot_ms()
    past, lacking = Past(), tuple[str, ...]()
    while True:
        status = _status(around)  # first: it may take its time
        seen = Seen(around.clock.boot_ms(), status, around.network(), around.restarts())
        past = looked(past, seen)
        verdict = judge(trial, past, seen, began_ms, around.limits)
        if verdict.step is not Step.WAIT:
            return verdict
        if verdict.lacking != lacking:
            lacking = verdict.lacking
            around.tell(f"waiting: {verdict.why}")
            if trial is not None:
                trial = _kept(around, replace(trial, lacking=lacking))
        left_s = (began_ms + around.limits.deadline_ms - seen.now_ms) / 1000
        _pause(around, min(LOOK_S, left_s))


def _status(around: Around) -> Mapping[str, Any] | None:
    try:
        return around.status()
    except NodeError:  # it refuses as long as it is starting
        return None


def _leave(around: Around, trial: Trial | None, verdict: Verdict) -> None:
    around.tell(f"not good: {verdict.why}")
    if trial is not None:
        _kept(around, replace(trial, lacking=verdict.lacking))
    try:
        around.marks.mark_bad("booted")
    except NodeError as exc:  # the firmware boots the other one all the same
        around.tell(str(exc))
