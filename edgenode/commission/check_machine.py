"""Checks of the machine itself: supply, card, disk, files, clock and certificate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edgenode.commission.evidence import CardSeen, CertificateSeen, Evidence
from edgenode.commission.finding import Finding

HOT_C: Final = 80.0  # a Raspberry Pi slows down from here on (its documentation, "frequency")
UNDER_VOLTAGE: Final = 1  # bit 0 of what the firmware latches since boot
SLOW_MS: Final = 200.0  # a usual flush of a card that is well takes 5 to 30 ms
WORN, WEARS = 80.0, 50.0  # % of its life that a card has used
ROOM_BYTES: Final = 100_000_000  # for the journal of systemd, and for an update
CLOCK_ERR_MS: Final = 60_000  # beyond that, certificates and minutes get confused
VAGUE_ERR_MS: Final = 1_000
DAY_MS: Final = 86_400_000
CERTIFICATE_DAYS, CERTIFICATE_SOON = 7, 30


def supply(evidence: Evidence) -> Iterator[Finding]:
    """Judge the supply: brown-outs explain half of everything else."""
    low = evidence.machine.get("supply_low")
    latched = int(evidence.machine.get("throttled_since_boot") or 0) & UNDER_VOLTAGE
    reason = "below 4.63 V the board slows down, cards lose writes and USB sensors vanish"
    remedy = "measure the supply at the board under load; use a shorter or thicker cable, or 3 A"
    if low:
        what = "the supply voltage is too low at this moment"
        yield Finding("supply", what, reason, remedy, "edgenode doctor")
    elif latched:
        what = "the supply voltage has been too low since the machine was started"
        restart = f"{remedy}; a reboot clears the mark"
        yield Finding("supply", what, reason, restart, "sudo systemctl reboot", note=True)
    heat = evidence.machine.get("temperature")
    if heat is not None and heat >= HOT_C:
        what = f"the processor has {heat:.0f} °C"
        reason = f"from {HOT_C:.0f} °C on it slows down, and the card ages"
        yield Finding("heat", what, reason, "give the box shade and air", "edgenode doctor")


def card(evidence: Evidence) -> Iterator[Finding]:
    """Judge how fast the card makes a small write durable, and how worn it is."""
    seen, used = evidence.card, evidence.machine.get("card_life_used")
    exchange = "exchange the card for one made for endurance"
    if seen is not None and seen.problem:
        reason = "nothing can be kept through a power cut"
        remedy = "look at the card and at what the kernel says of it"
        yield Finding("card", seen.problem, reason, remedy, "sudo dmesg --level err,warn")
    elif seen is not None and seen.flush_ms:
        yield from _speed(seen, evidence.commit_interval_s, exchange)
    if used is not None and used >= WEARS:
        what = f"{used:.0f} % of the life of the card is used"
        reason = "a worn card fails at a write, and takes the spool with it"
        command = "edgenode spool verify"
        yield Finding("card life", what, reason, exchange, command, note=used < WORN)


def _speed(seen: CardSeen, interval_s: float, exchange: str) -> Iterator[Finding]:
    usual, most = seen.usual_ms, max(seen.flush_ms)
    if most >= 1000 * interval_s:
        what = f"one small write took {most / 1000:.1f} s to become durable"
        reason = f"the spool wants one each {interval_s:g} s, and what waits is lost in a power cut"
        yield Finding("card speed", what, reason, exchange, "edgenode status")
    elif usual >= SLOW_MS:
        what = f"a small write takes {usual:.0f} ms to become durable"
        reason = "a card that is well takes 5 to 30 ms; one that is nearly worn out gets slow"
        yield Finding("card speed", what, reason, exchange, "edgenode status", note=True)


def disk(evidence: Evidence) -> Iterator[Finding]:
    """Judge the room where the state directory is."""
    free = evidence.disk_free_bytes
    if free is not None and free < ROOM_BYTES:
        what = f"{free / 1e6:.0f} MB are free on the disk"
        reason = f"below {ROOM_BYTES / 1e6:.0f} MB logs and updates fail, and soon the spool"
        remedy = "make room, or lower spool.cap_mb in the file"
        yield Finding("disk", what, reason, remedy, "sudo du -xh --max-depth=2 /var")


def left(evidence: Evidence) -> Iterator[Finding]:
    """Tell of what another node, or this one under the id before, left on the card."""
    for spool in evidence.status["spool"]["left"] if evidence.status else ():
        key = f"left {Path(spool['directory']).name}"
        mib = spool["bytes"] >> 20
        what = f"{spool['directory']} is the spool of node {spool['node']}, {mib} MiB"
        reason = "it is neither sent nor removed, and takes room that counts as nobody's"
        remedy = (
            "export it, and import the file at the City OS (edgenode cityos import); then remove "
            "the directory and restart edgenode"
        )
        yield Finding(key, what, reason, remedy, "sudo edgenode spool export left.cbor", note=True)


def configuration(evidence: Evidence) -> Iterator[Finding]:
    """Tell of mistakes of the file, and of what should make one think."""
    for index, problem in enumerate(evidence.problems, 1):
        reason = "without a file that is right the daemon does not start, nor take up a new one"
        remedy = "write or correct the file, then take it up: sudo edgenode reload"
        yield Finding(f"configuration {index}", problem, reason, remedy, "edgenode check")
    for index, warning in enumerate(evidence.warnings, 1):
        reason = "it works, but not as well or as long as it could"
        remedy = "do what it says, then check again"
        key = f"warning {index}"
        yield Finding(key, warning, reason, remedy, "edgenode check --offline", note=True)


def clock(evidence: Evidence) -> Iterator[Finding]:
    """Judge who vouches for the wall clock, and how well."""
    status = evidence.status
    if status is None:
        return
    source, err_ms = status["clock"], status["clock_err_ms"]
    remedy = "let the node reach an NTP server, or give it a GNSS receiver or a DS3231"
    if source == "none":
        what = "nothing vouches for the clock"
        reason = "readings wait at the city until somebody does, and certificates may look expired"
        yield Finding("clock", what, reason, remedy, "timedatectl timesync-status")
    elif err_ms is not None and err_ms > VAGUE_ERR_MS:
        what = f"the clock may be wrong by {err_ms / 1000:.1f} s, says {source}"
        reason = "readings of two nodes cannot be compared by the second"
        vague = err_ms <= CLOCK_ERR_MS
        yield Finding("clock", what, reason, remedy, "timedatectl timesync-status", note=vague)


def certificate(evidence: Evidence) -> Iterator[Finding]:
    """Judge for how long the node can still prove who it is."""
    for seen in evidence.certificates:
        found = _certificate(seen, evidence)
        if found is not None:
            yield found


def _certificate(seen: CertificateSeen, evidence: Evidence) -> Finding | None:
    key, command = "certificate", "sudo systemctl start edgenode-renew.service"
    reason = "without a valid certificate no broker lets the node in; readings wait in the spool"
    if seen.problem:
        remedy = "look at cert and key of [[uplink.broker]] in the file"
        return Finding(key, f"{seen.file}: {seen.problem}", reason, remedy, "edgenode check")
    if seen.name and seen.name.lower() != evidence.node:
        what = f"{seen.file} is the certificate of {seen.name}, and this is node {evidence.node}"
        remedy = "give the node its own certificate, and its own key"
        return Finding(key, what, reason, remedy, "edgenode check")
    left = ((seen.until_utc_ms or 0) - evidence.at_utc_ms) / DAY_MS
    if left >= CERTIFICATE_SOON:
        return None
    ended = f"ended {-left:.0f} days ago" if left < 0 else f"ends in {left:.0f} days"
    what = f"the certificate {seen.file} {ended}"
    remedy = "let it be renewed, and read what the renewal says: journalctl -u edgenode-renew"
    return Finding(key, what, reason, remedy, command, note=left >= CERTIFICATE_DAYS)
