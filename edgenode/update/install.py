"""Putting a bundle into the other slot, and going back: what must hold, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from edgenode import __version__
from edgenode.clock import Clock
from edgenode.errors import NodeError
from edgenode.spool.confirmed import confirm
from edgenode.update import record
from edgenode.update.gate import commits, linked, works
from edgenode.update.record import Trial
from edgenode.update.slots import Bundle, Slots, older


class Installer(Protocol):
    """Of RAUC, what is needed here."""

    def slots(self) -> Slots: ...

    def info(self, bundle: Path) -> Bundle: ...

    def install(self, bundle: Path, tell: Callable[[str], None]) -> None: ...

    def mark_bad(self, which: str) -> None: ...

    def activate(self, which: str) -> None: ...


@dataclass(frozen=True)
class Site:
    """Where an update is made. `status` is the daemon's document; None: nobody answers."""

    rauc: Installer
    state: Path
    clock: Clock
    status: Callable[[], Mapping[str, Any] | None]
    network: Callable[[], bool]
    tell: Callable[[str], None]


def ready(site: Site) -> Slots:
    """Return the slots; raises NodeError where this is no moment for an update."""
    slots = site.rauc.slots()
    if slots.trying:
        raise NodeError(
            f"slot {slots.booted.name} is still being tried, and slot {slots.other.name} is what "
            "comes back: wait (edgenode update status), or edgenode update rollback"
        )
    status = site.status()
    if status is None:
        raise NodeError(
            "the daemon does not answer, so nobody can say what works now: edgenode status; "
            "an update would be judged by it"
        )
    if not commits(status):
        why = status["spool"]["degraded"] or "nothing is committed yet"
        raise NodeError(f"the spool is not well ({why}): look at edgenode status first")
    return slots


def install(site: Site, bundle: Path, *, downgrade: bool) -> Trial:
    """Verify a bundle, write down what works, and put it into the other slot, to be tried next.

    Raises NodeError where the moment or the bundle is wrong; then nothing has changed, or the
    other slot is marked bad and never boots.
    """
    slots = ready(site)
    found = site.rauc.info(bundle)
    _fits(slots, found, downgrade=downgrade)
    _vouch(site)
    trial = _trial(site, slots, found.version)
    record.save(site.state, trial)
    try:
        site.rauc.install(bundle, site.tell)
    except NodeError as exc:
        record.save(site.state, trial.ended(record.FAILED, str(exc), site.clock.utc_ms()))
        raise
    armed = replace(trial, stage=record.ARMED)
    record.save(site.state, armed)
    return armed


def _fits(slots: Slots, found: Bundle, *, downgrade: bool) -> None:
    if found.compatible != slots.compatible:
        raise NodeError(
            f"the bundle is for {found.compatible}, and this is {slots.compatible}: "
            "take the one that was made for it"
        )
    if older(found.version, __version__) and not downgrade:
        raise NodeError(
            f"the bundle is {found.version}, older than {__version__} which runs; "
            "if that is meant: --downgrade"
        )


def _vouch(site: Site) -> None:
    """Note that what runs is good: until another version is, none may change the spool."""
    try:
        confirm(site.state, __version__)
    except OSError as exc:
        raise NodeError(
            f"{site.state}: cannot be written: {exc.strerror}; run this with sudo, and make room"
        ) from exc


def _trial(site: Site, slots: Slots, version: str) -> Trial:
    status = site.status()
    return Trial(
        stage=record.INSTALLING,
        version=version,
        slot=slots.other.name,
        from_version=__version__,
        sensors=tuple(sorted(works(status))),
        linked=linked(status) or site.network(),
        installed_utc_ms=site.clock.utc_ms(),
        installed_boot=site.clock.boot_id(),
    )


def rollback(site: Site) -> tuple[str, bool | None]:
    """Go back to the other system; returns what was done, and how to reboot.

    None: no reboot is needed; else whether it has to be into the other slot, once. Raises
    NodeError where there is nothing to go back to.
    """
    slots, trial = site.rauc.slots(), record.load(site.state)
    here, there = slots.booted.name, slots.other.name
    if slots.trying:
        site.rauc.mark_bad("booted")
        _withdraw(site, trial)
        return f"slot {here} is given up; slot {there} comes back", False
    if slots.armed:
        site.rauc.activate("booted")
        site.rauc.mark_bad("other")
        _withdraw(site, trial)
        return f"slot {there} is not tried; slot {here} goes on", None
    if not (slots.other.good and slots.other.whole):
        raise NodeError(f"slot {there} holds nothing that has proved good: install a bundle")
    _vouch(site)
    back = replace(_trial(site, slots, slots.other.version or "as flashed"), stage=record.ARMED)
    record.save(site.state, back)
    site.rauc.activate("other")
    return f"slot {there} ({back.version}) is tried next, and kept if it proves good", True


def _withdraw(site: Site, trial: Trial | None) -> None:
    if trial is not None and not trial.over:
        ended = trial.ended(record.WITHDRAWN, "taken back by hand", site.clock.utc_ms())
        record.save(site.state, ended)
