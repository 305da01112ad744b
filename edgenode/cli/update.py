"""The two systems on the card: what runs, install another one, keep it, go back."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import ASK_S, SOCKET, STATE, show
from edgenode.cli.spans import seconds
from edgenode.cli.words import many, span, when

if TYPE_CHECKING:
    from edgenode.update.record import Trial
    from edgenode.update.slots import Slots


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-verbs and their options."""
    subs = parser.add_subparsers(
        dest="what", required=True, metavar="status|install|confirm|rollback"
    )
    status = subs.add_parser("status", help="what runs, what else there is, what is being tried")
    status.add_argument("--json", action="store_true", help="the document of docs/cli.md")
    install = subs.add_parser("install", help="put a bundle into the other slot and try it")
    install.add_argument("bundle", metavar="FILE", help="a file, or an https URL")
    install.add_argument("--downgrade", action="store_true", help="an older version is meant")
    install.add_argument("--no-reboot", action="store_true", help="try it later")
    confirm = subs.add_parser("confirm", help="wait until this system has proved good, or has not")
    confirm.add_argument("--deadline", type=seconds, metavar="SPAN", help="default 45min")
    confirm.add_argument(
        "--without-network", type=seconds, metavar="SPAN", help="that is enough; default 30min"
    )
    confirm.add_argument("--restarts", type=_count, metavar="N", help="of the daemon; default 5")
    rollback = subs.add_parser("rollback", help="go back to the other system")
    rollback.add_argument("--no-reboot", action="store_true", help="go back later")
    for sub in (status, install, confirm, rollback):
        sub.add_argument("--state", default=STATE, metavar="DIRECTORY", help=f"default: {STATE}")
        sub.add_argument("--socket", default=SOCKET, metavar="PATH", help=f"default: {SOCKET}")


def run(args: argparse.Namespace) -> int:
    """Do what the sub-verb says."""
    doing: dict[str, Callable[[argparse.Namespace], int]] = {
        "status": _status,
        "install": _install,
        "confirm": _confirm,
        "rollback": _rollback,
    }
    return doing[args.what](args)


def _count(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 1000):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000")
    return int(text)


# --- status ---


def _status(args: argparse.Namespace) -> int:
    from edgenode.clock import SystemClock  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.update import record  # noqa: PLC0415 - the same
    from edgenode.update.gate import Limits  # noqa: PLC0415 - the same
    from edgenode.update.rauc import Rauc  # noqa: PLC0415 - the same

    slots, trial, clock = Rauc().slots(), record.load(Path(args.state)), SystemClock()
    left_ms = None
    if trial is not None and slots.trying and trial.began_boot == clock.boot_id():
        left_ms = max(0, trial.began_boot_ms + Limits().deadline_ms - clock.boot_ms())
    show(args, document(slots, trial, left_ms), text)
    return WELL


def document(slots: Slots, trial: Trial | None, left_ms: int | None) -> dict[str, Any]:
    """Return what docs/cli.md has below `edgenode update status`."""
    from edgenode import __version__  # noqa: PLC0415 - `--help` shall not pay for it

    return {
        "format": 1,
        "version": __version__,
        "compatible": slots.compatible,
        "booted": slots.booted.name,
        "next": slots.primary,
        "trying": slots.trying,
        "left_s": None if left_ms is None else left_ms // 1000,
        "slots": [
            {
                "slot": slot.name,
                "booted": slot is slots.booted,
                "good": slot.good,
                "whole": slot.whole,
                "version": slot.version or None,
                "installed": slot.installed or None,
            }
            for slot in (slots.booted, slots.other)
        ],
        "update": trial
        and {
            "stage": trial.stage,
            "slot": trial.slot,
            "version": trial.version,
            "from_version": trial.from_version,
            "installed_utc_ms": trial.installed_utc_ms,
            "began_utc_ms": trial.began_utc_ms,
            "ended_utc_ms": trial.ended_utc_ms,
            "sensors": list(trial.sensors),
            "lacking": list(trial.lacking),
            "why": trial.why or None,
        },
    }


def text(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the document in plain words."""
    yield f"edgenode {answer['version']} runs from slot {answer['booted']} ({answer['compatible']})"
    for slot in answer["slots"]:
        yield f"  {_slot(slot)}"
    if answer["next"] != answer["booted"]:
        again = "comes back at" if answer["trying"] else "is tried at"
        yield f"  slot {answer['next']} {again} the next reboot"
    update = answer["update"]
    if answer["trying"]:
        left = answer["left_s"]
        until = "" if left is None else f", for {span(left)} more"
        yield f"  ! slot {answer['booted']} is being tried{until}: it has not proved good yet"
        yield from (f"    waits: {what}" for what in (update or {}).get("lacking", ()))
    if update:
        yield from _update(update)


def _slot(slot: Mapping[str, Any]) -> str:
    state = "good" if slot["good"] else "not good"
    runs = "runs, " if slot["booted"] else ""
    whole = "" if slot["whole"] else ", an installation was cut off"
    version = slot["version"] or ("as flashed" if slot["good"] else "nothing that can be used")
    return f"slot {slot['slot']}: {runs}{state}{whole}: {version}"


def _update(update: Mapping[str, Any]) -> Iterator[str]:
    began, ended = update["began_utc_ms"], update["ended_utc_ms"]
    yield (
        f"  last update: {update['from_version']} to {update['version']} in slot {update['slot']},"
        f" {update['stage']}; installed {when(update['installed_utc_ms'])}"
    )
    if began is not None:
        sensors = many(len(update["sensors"]), "sensor")
        yield f"    tried since {when(began)}, with {sensors} to read"
    if ended is not None:
        yield f"    ended {when(ended)}: {update['why']}"


# --- what changes the node ---


def _asked(args: argparse.Namespace) -> Callable[[], Mapping[str, Any] | None]:
    """Return what asks the daemon how it is; it gives None where nobody answers."""
    from edgenode.control import NoDaemon, ask  # noqa: PLC0415 - `--help` shall not pay for it

    def status() -> Mapping[str, Any] | None:
        try:
            return ask(Path(args.socket), "status", ASK_S)
        except NoDaemon:
            return None

    return status


def _tell(line: str) -> None:
    from contextlib import suppress  # noqa: PLC0415 - `--help` shall not pay for it

    with suppress(OSError):  # the terminal of an update may be gone long before its end
        print(line, flush=True)


def _site(args: argparse.Namespace) -> Any:
    from edgenode.clock import SystemClock  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.update.install import Site  # noqa: PLC0415 - the same
    from edgenode.update.network import network  # noqa: PLC0415 - the same
    from edgenode.update.rauc import Rauc  # noqa: PLC0415 - the same

    return Site(Rauc(), Path(args.state), SystemClock(), _asked(args), network, _tell)


def _install(args: argparse.Namespace) -> int:
    import signal  # noqa: PLC0415 - `--help` shall not pay for it
    import time  # noqa: PLC0415 - the same

    from edgenode.update.download import PLACE, download  # noqa: PLC0415 - the same
    from edgenode.update.install import install, ready  # noqa: PLC0415 - the same

    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # an SSH line that drops ends no update
    site = _site(args)
    ready(site)  # before half an hour of download
    fetched = "://" in args.bundle
    bundle = download(args.bundle, site.state, time.sleep, _tell) if fetched else Path(args.bundle)
    try:
        trial = install(site, bundle.resolve(), downgrade=args.downgrade)
    finally:
        if fetched:  # also what was refused takes its room from the spool
            (site.state / PLACE).unlink(missing_ok=True)
    _tell(f"{trial.version} is in slot {trial.slot}; it is kept only if the node proves well on it")
    return _rebooted(tried=True, later=args.no_reboot)


def _rollback(args: argparse.Namespace) -> int:
    from edgenode.update.install import rollback  # noqa: PLC0415 - `--help` shall not pay for it

    done, tried = rollback(_site(args))
    _tell(done)
    return WELL if tried is None else _rebooted(tried=tried, later=args.no_reboot)


def _rebooted(*, tried: bool, later: bool) -> int:
    from edgenode.update.rauc import TRYBOOT, reboot  # noqa: PLC0415 - the same

    if later:
        argument = f" --reboot-argument='{TRYBOOT}'" if tried else ""
        _tell(f"not rebooted; when it suits: sudo systemctl reboot{argument}")
        return WELL
    _tell("rebooting")
    reboot(tried=tried)
    return WELL


# --- the gate ---


def _confirm(args: argparse.Namespace) -> int:
    import signal  # noqa: PLC0415 - `--help` shall not pay for it
    import threading  # noqa: PLC0415 - the same

    from edgenode.clock import SystemClock  # noqa: PLC0415 - the same
    from edgenode.update.confirm import Around, gate  # noqa: PLC0415 - the same
    from edgenode.update.network import network  # noqa: PLC0415 - the same
    from edgenode.update.rauc import Rauc  # noqa: PLC0415 - the same

    leaving = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: leaving.set())
    around = Around(
        marks=Rauc(),
        state=Path(args.state),
        clock=SystemClock(),
        status=_asked(args),
        network=network,
        restarts=_restarts,
        pause=leaving.wait,
        tell=_tell,
        limits=_limits(args),
    )
    good = gate(around)
    return WELL if good or leaving.is_set() else NOT_WELL


def _limits(args: argparse.Namespace) -> Any:
    from dataclasses import replace  # noqa: PLC0415 - `--help` shall not pay for it

    from edgenode.update.gate import Limits  # noqa: PLC0415 - the same

    given = {
        "deadline_ms": args.deadline and args.deadline * 1000,
        "linkless_ms": args.without_network and args.without_network * 1000,
        "restarts": args.restarts,
    }
    return replace(Limits(), **{key: value for key, value in given.items() if value is not None})


def _restarts() -> int:
    from edgenode.cli.absent import SYSTEMD, systemd  # noqa: PLC0415 - `--help` shall not pay

    unit = systemd(SYSTEMD)
    return (unit or {}).get("restarts") or 0
