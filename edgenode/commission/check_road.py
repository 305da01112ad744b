"""Checks of the road to the city: the daemon, the link, and a batch that arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edgenode.commission.evidence import Delivery, Evidence, LinkSeen
from edgenode.commission.finding import Finding

SLOW_MS: Final = 2_000.0  # a round trip of mobile networks at their edge is below one second
LOSSY: Final = 0.05  # of all segments sent again: then TCP gets slow

HALTED: Final = {  # how far the batch came: what that means, what to do, which command
    "open": (
        "the spool has not sealed it",
        "look at the disk and its free room",
        "edgenode spool",
    ),
    "sealed": (
        "no broker has taken it, or has told that nobody receives it",
        "look at network, broker and credentials, and have the receiver looked at",
        "edgenode check",
    ),
    "broker": (
        "a broker has it, and the City OS has not acknowledged it",
        "have the receiver looked at: edgenode cityos nodes; it can be done from afar",
        "edgenode status",
    ),
}


def daemon(evidence: Evidence) -> Iterator[Finding]:
    """Tell that no daemon answers, with what systemd and the spool say of it."""
    if evidence.refused:
        reason = "little can be told of the node without it"
        remedy = "ask as root, or join the group edgenode"
        yield Finding("daemon", evidence.refused, reason, remedy, "sudo edgenode doctor")
        return
    absent = evidence.absent
    if absent is None:
        return
    unit = absent.get("systemd")
    how = f"; systemd says {unit['active']} ({unit['result']})" if unit else ""
    what = f"edgenode does not run: {absent['problem']}{how}"
    reason = "nothing is measured; what was committed is safe"
    remedy = "start it, and read what it says: journalctl -u edgenode -n 20"
    yield Finding("daemon", what, reason, remedy, "sudo systemctl restart edgenode")
    yield from _left(evidence)


def _left(evidence: Evidence) -> Iterator[Finding]:
    """Tell of what the files of the spool say."""
    for spool in (evidence.spool or {}).get("spools", ()):
        if spool["problem"] or spool["damaged"]:
            what = spool["problem"] or f"{spool['damaged']} rows or pages cannot be read"
            reason = "the next start sets aside what is damaged, and keeps the rest"
            remedy = "see what it is before the daemon is started"
            key = f"spool {spool['spool']}"
            command = "sudo edgenode spool verify"
            yield Finding(key, f"spool {spool['spool']}: {what}", reason, remedy, command)


def link(evidence: Evidence) -> Iterator[Finding]:
    """Judge each broker: whether it lets the node in, and how good the way there is."""
    works = any(not seen.problems for seen in evidence.links)
    for index, seen in enumerate(evidence.links):
        for problem in seen.problems:
            reason = "readings wait in the spool as long as no broker takes them"
            if works:
                reason = "another one works; this one is not there when that is lost"
            remedy = "look at network, name, port, certificate and rights: docs/brokers.md"
            key = "uplink" if not works and index == 0 else f"broker {seen.broker}"
            what = problem if seen.broker in problem else f"{seen.broker}: {problem}"
            yield Finding(key, what, reason, remedy, "edgenode check", note=works)
        for warning in seen.warnings:
            reason = "a broker may lose what it has acknowledged"
            remedy = 'write custody = "city" into [uplink]'
            command = "edgenode check"
            yield Finding(f"custody {seen.broker}", warning, reason, remedy, command, note=True)
        if not seen.problems:
            yield from _quality(seen)


def _quality(seen: LinkSeen) -> Iterator[Finding]:
    key, command = f"link {seen.broker}", "edgenode doctor"
    remedy = "turn or move the antenna, look at SIM, cable and plugs; try again at another hour"
    lost = seen.sent - len(seen.acks_ms)
    if lost:
        what = f"{seen.broker}: {lost} of {seen.sent} small messages were not acknowledged in time"
        reason = "each of them has to be sent again, and connections break"
        yield Finding(key, what, reason, remedy, command)
    elif seen.repeated and seen.repeated > max(1.0, LOSSY * 2 * seen.sent):
        what = f"{seen.broker}: {seen.repeated} segments were lost in {seen.sent} round trips"
        reason = "the link works, slowly, and costs more bytes than it should"
        yield Finding(key, what, reason, remedy, command, note=True)
    elif (seen.ack_ms or 0) > SLOW_MS:
        what = f"{seen.broker}: a round trip takes {(seen.ack_ms or 0) / 1000:.1f} s"
        reason = "a backlog takes long to send over such a link"
        yield Finding(key, what, reason, remedy, command, note=True)


def delivery(evidence: Evidence) -> Iterator[Finding]:
    """Judge whether a batch that was made for the purpose came to where it belongs."""
    seen = evidence.delivery
    if seen is None or seen.reached == "city":
        return
    why, remedy, command = HALTED.get(seen.reached, ("", "ask as root", "sudo edgenode commission"))
    yield Finding("delivery", _halted(seen, why), "nothing counts before it has arrived there",
                  remedy, command)  # fmt: skip


def _halted(seen: Delivery, why: str) -> str:
    if seen.problem:
        return f"no batch could be made to try the road: {seen.problem}"
    end = "the City OS" if seen.custody == "city" else "a broker"
    return f"a batch made {seen.took_s:.0f} s ago has not reached {end}: {why}"


def told(evidence: Evidence) -> Iterator[Finding]:
    """Pass on what the daemon itself finds wrong, where no check has said it."""
    for problem in (evidence.status or {}).get("problems", ()):
        reason = "the daemon says so; since when: edgenode status"
        yield Finding(problem["key"], problem["what"], reason, problem["advice"], "edgenode status")


def answers(evidence: Evidence) -> Iterator[Finding]:
    """Judge what only somebody at the pole could see."""
    given = evidence.answers
    if given is None:
        return
    if given.lamp == "no":
        what = "the lamp of the box does not show a calm light"
        reason = "whoever stands below the node later cannot tell whether it is well"
        remedy = "compare chip and line of [lamp] with the wiring"
        yield Finding("lamp", what, reason, remedy, "edgenode status")
    elif given.lamp == "unseen":
        reason = "whether it can be seen from below is not known"
        what = "nobody has looked at the lamp of the box"
        remedy = "look, and commission again with --lamp yes"
        yield Finding("lamp", what, reason, remedy, "sudo edgenode commission", note=True)
    if not given.mounting:
        what = "nothing is said of the mounting"
        reason = "who comes next does not know how it was left"
        remedy = "give the number of a photo or of the box with --mounting"
        yield Finding("mounting", what, reason, remedy, "sudo edgenode commission", note=True)
