"""Say whose certificate this node has and until when; renew it, or ask for a first or new one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import show
from edgenode.cli.words import span

if TYPE_CHECKING:
    from datetime import datetime

    from edgenode.provision.renew import Due
    from edgenode.provision.store import Store

ETC = "/etc/edgenode"
RENEWER = "edgenode-renew.timer"


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options and the sub-verbs."""
    parser.add_argument("--json", action="store_true", help="the document of docs/cli.md")
    parser.add_argument(
        "--etc", type=Path, default=Path(ETC), metavar="DIRECTORY", help=f"default: {ETC}"
    )
    works = parser.add_subparsers(dest="work", metavar="renew|enrol")
    renew = works.add_parser("renew", help="do what is due: enrol with the token, or renew")
    renew.add_argument("--early", action="store_true", help="renew before it is due, too")
    renew.add_argument(
        "--wait", action="store_true", help="try again until it works, as edgenode-renew does"
    )
    enrol = works.add_parser("enrol", help="ask for a certificate with a new one-time token")
    enrol.add_argument(
        "--token-file", type=Path, required=True, metavar="FILE",
        help="its first line is the token; wiped when it is spent",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Tell, or do what is asked for; 1 where there is no certificate, it is over, or it failed."""
    from edgenode.errors import NodeError  # noqa: PLC0415 - `--help` shall not pay

    try:
        return _done(args)
    except OSError as exc:
        where = exc.filename or args.etc
        raise NodeError(f"{where}: {exc.strerror}; is it for root, or the disk full?") from exc


def _done(args: argparse.Namespace) -> int:
    from edgenode.provision.store import store_at  # noqa: PLC0415 - the same

    store = store_at(args.etc)
    if args.work == "renew":
        return _renew(store, early=args.early, wait=args.wait)
    if args.work == "enrol":
        return _enrol(store, args.token_file)
    document = told(store)
    show(args, document, text)
    return WELL if document["left_s"] is not None and document["left_s"] > 0 else NOT_WELL


def told(store: Store) -> dict[str, Any]:
    """Return the document of docs/cli.md; raises NodeError."""
    from edgenode.provision.renew import due, now_utc  # noqa: PLC0415 - the same
    from edgenode.provision.store import enrolment  # noqa: PLC0415 - the same

    chain, now = store.identity.chain(), now_utc()
    known = enrolment(store.etc) if _may_read(store) else None
    leaf = chain[0] if chain else None
    what = due(known, leaf, now)
    found: dict[str, Any] = {
        "format": 1,
        "file": str(store.identity.files[0]),
        "subject": leaf and leaf.subject.rfc4514_string(),
        "issuer": leaf and leaf.issuer.rfc4514_string(),
        "serial": leaf and f"{leaf.serial_number:x}",
        "from_utc_ms": leaf and _ms(leaf.not_valid_before_utc),
        "until_utc_ms": leaf and _ms(leaf.not_valid_after_utc),
        "left_s": leaf and round((leaf.not_valid_after_utc - now).total_seconds()),
        "est": known and known.est,
        "next": what.action,
        "next_utc_ms": what.at and _ms(what.at),
    }
    return found | {"advice": _advice(what, known=known is not None, readable=_may_read(store))}


def _may_read(store: Store) -> bool:
    """Whether who asks may know about enrolment; only root may."""
    import os  # noqa: PLC0415 - the same

    from edgenode.provision.store import NAME  # noqa: PLC0415 - the same

    path = store.etc / NAME
    return not path.exists() or os.access(path, os.R_OK)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _advice(what: Due, *, known: bool, readable: bool) -> str:
    from edgenode.provision.est import ANEW  # noqa: PLC0415 - the same

    if what.action == "expired":
        return ANEW if known else "a node.json with a new certificate and a higher serial"
    if what.action == "enrol":
        return "sudo edgenode certificate renew tries at once; journalctl -u edgenode-renew"
    if not readable:
        return "sudo edgenode certificate tells what renews it"
    if what.action == "renew":
        return f"none; {RENEWER} renews it"
    return "a node.json that brings one, see docs/provisioning.md"


def text(found: dict[str, Any]) -> Iterator[str]:
    """Yield the document in plain words."""
    if found["subject"] is None:
        yield f"no certificate yet in {found['file']}"
    else:
        yield f"subject   {found['subject']}"
        yield f"issuer    {found['issuer']}"
        over = found["left_s"] <= 0
        left = f"ENDED {span(-found['left_s'])} ago" if over else f"{span(found['left_s'])} left"
        yield f"valid     {_day(found['from_utc_ms'])} to {_day(found['until_utc_ms'])} UTC; {left}"
    if found["est"]:
        yield f"server    {found['est']}"
    if found["next"] == "enrol":
        yield "next      enrolment with the one-time token, as soon as the server answers"
    elif found["next"] == "renew":
        yield f"next      renewal from {_day(found['next_utc_ms'])} UTC on"
    yield f"do        {found['advice']}"


def _day(utc_ms: int) -> str:
    import time  # noqa: PLC0415 - the same

    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(utc_ms / 1000))


def _renew(store: Store, *, early: bool, wait: bool) -> int:
    """Do what is due, once or until it works."""
    from edgenode.provision.renew import attempt, attend, now_utc, pauses  # noqa: PLC0415 - the same

    def once() -> str:
        with store.alone():
            return attempt(store, now_utc(), early=early)

    if not wait:
        print(once())
        return WELL
    return WELL if attend(once, pauses(_name(store)), _sleep, _tell) else NOT_WELL


def _name(store: Store) -> str:
    """Return the name of the node as far as it is known, for its own jitter."""
    from edgenode.provision.store import enrolment  # noqa: PLC0415 - the same

    known = enrolment(store.etc)
    return known.node if known is not None else ""


def _sleep(seconds: float) -> bool:
    import time  # noqa: PLC0415 - the same

    time.sleep(seconds)  # SIGTERM ends it
    return True


def _tell(words: str, rest_s: float | None) -> None:
    again = "" if rest_s is None else f"; again in {span(rest_s)}"
    print(f"{words}{again}", flush=True)


def _enrol(store: Store, file: Path) -> int:
    """Ask with a token out of a file, and wipe the file once the token is spent."""
    from edgenode import durable  # noqa: PLC0415 - the same
    from edgenode.errors import NodeError  # noqa: PLC0415 - the same
    from edgenode.provision.store import NAME, enrolment  # noqa: PLC0415 - the same

    token = _token(file)
    with store.alone():
        known = enrolment(store.etc)
        if known is None:
            words = "no EST server is known here; provision the node with a node.json that has one"
            raise NodeError(f"{store.etc / NAME} is missing: {words}")
        known.with_token(token).save(store.etc, store.secret)
    code = _renew(store, early=False, wait=False)
    durable.wipe(file)
    return code


def _token(file: Path) -> str:
    from edgenode.errors import NodeError  # noqa: PLC0415 - the same

    try:
        with file.open("rb") as opened:
            token = opened.read(1024).split(b"\n", 1)[0].strip().decode("ascii")
    except OSError as exc:
        raise NodeError(f"{file}: cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError:
        token = ""
    if not token.isprintable() or not 0 < len(token) <= 256:
        raise NodeError(f"{file}: its first line is no token (1 to 256 signs of ASCII)")
    return token
