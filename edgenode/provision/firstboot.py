"""The first boot: take the document on the boot partition, whole or not at all.

All of it is looked at before anything is changed (plan.py). Then come steps, each of which may be
done once more: who was cut off runs again, and the document is removed after the last of them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from edgenode import durable
from edgenode.errors import NodeError, ProvisionError
from edgenode.provision import settings as machine
from edgenode.provision import telling
from edgenode.provision.canonical import pretty
from edgenode.provision.certificates import certificates
from edgenode.provision.document import without_secrets
from edgenode.provision.places import ACCEPTED, BEFORE, CA, CITY_KEY, DOCUMENT, KEYS, TOML, Places
from edgenode.provision.plan import Plan, enrolling, plan
from edgenode.provision.store import NAME as ENROLMENT
from edgenode.provision.store import enrolment
from edgenode.provision.tables import Document

MODE: Final = 0o640
DIRECTORY_MODE: Final = 0o750
HOSTNAME: Final = "etc/hostname"


class Taken(NamedTuple):
    """What came of it: what was told, and whether a document was taken just now."""

    lines: tuple[str, ...]
    fresh: bool


def firstboot(places: Places, now: datetime) -> Taken:
    """Take the document that lies on the boot partition, if any, and put settings in place.

    `now` is aware, UTC. Raises ProvisionError for a document that cannot be taken, NodeError for
    a disk that cannot be written; both are told on the boot partition, to `edgenode status` and
    by the lamp.
    """
    try:
        durable.directory(places.etc, DIRECTORY_MODE, places.shared)
        with places.store.alone():
            return _taken(places, now)
    except ProvisionError as exc:
        head = f"REFUSED: {DOCUMENT} was not taken; nothing was changed."
        telling.refused(places, head, exc.problems)
        raise
    except (NodeError, OSError) as exc:
        head = f"NOT FINISHED: {DOCUMENT} is fine, this node is not; the next start goes on."
        telling.refused(places, head, [str(exc)], telling.DISK)
        raise NodeError(f"{head} {exc}") from exc


def _taken(places: Places, now: datetime) -> Taken:
    places.store.settled()
    notes = _put(places)
    durable.finish_wipe(places.boot)
    made = plan(places, now)
    if made is None:
        telling.forget(places)
        return Taken(tuple(notes), fresh=False)
    if made.fresh:
        for step in STEPS:
            step(places, made)
        notes = _put(places)
    lines = (*_told(made.document), *notes)
    telling.well(places, lines)
    durable.wipe(places.boot / DOCUMENT)
    return Taken(lines, fresh=made.fresh)


def _put(places: Places) -> list[str]:
    """Have the settings in place, as they were accepted last; return what is to be said of them."""
    notes = machine.put(places.root, places.etc)
    if places.root == Path("/"):
        with suppress(OSError):  # a container may not; the file holds from the next boot on
            socket.sethostname((places.root / HOSTNAME).read_text(encoding="utf-8").strip())
    return notes


def _told(document: Document) -> Iterator[str]:
    """Yield what the node is, in plain words."""
    named = f" ({document.site.name})" if document.site.name else ""
    key = document.signature.key if document.signature is not None else "nobody"
    yield f"provisioned as {document.node.id}{named}"
    yield f"document {document.serial} of {document.issued}, signed by key {key}"
    enrol = document.enrol
    if enrol is None:
        yield "certificate: this document brings none; `edgenode certificate` says what there is"
    elif enrol.est:
        yield f"certificate: the node asks {enrol.est} for it as soon as it has a network"
    else:
        end = certificates(enrol.certificate)[0].not_valid_after_utc
        yield f"certificate: ready, valid until {end:%Y-%m-%d}; the next comes with a document"


def _trust(places: Places, made: Plan) -> None:
    """Trust the city's key from here on, where none was trusted before."""
    if made.city_key is not None:
        durable.directory(places.etc / KEYS, DIRECTORY_MODE, places.shared)
        durable.write(places.etc / KEYS / CITY_KEY, made.city_key, MODE, places.shared)


def _settings(places: Places, made: Plan) -> None:
    """Keep what the machine is told: network, time, proxy, name and who may log in."""
    machine.keep(places.etc, made.settings, places.secret)


def _certificate(places: Places, made: Plan) -> None:
    """Have a ready pair in use, or the key and all that enrolment needs."""
    enrol, store = made.document.enrol, places.store
    known = enrolment(places.etc)
    if enrol is None:
        if known is not None:
            known.through(made.document.network.proxy).save(places.etc, places.secret)
        return
    if enrol.est:
        store.identity.next_key()
        enrolling(made.document).after(known).save(places.etc, places.secret)
        return
    durable.remove(places.etc / ENROLMENT)
    chain = certificates(enrol.certificate)
    if store.identity.chain() != chain:
        store.identity.bring(chain, enrol.key.encode())
        store.settled()


def _brokers(places: Places, made: Plan) -> None:
    """Trust the CAs of the brokers."""
    if made.document.trust:
        durable.write(places.etc / CA, made.document.trust.encode(), MODE, places.shared)


def _configuration(places: Places, made: Plan) -> None:
    """Write edgenode.toml; what stood there may be somebody's work, and is kept beside it."""
    path, fresh = places.etc / TOML, made.toml.encode()
    old = path.read_bytes() if path.exists() else fresh
    if old != fresh:
        durable.write(places.etc / BEFORE, old, MODE, places.shared)
    durable.write(path, fresh, MODE, places.shared)


def _accept(places: Places, made: Plan) -> None:
    """Remember the document: from here on it is taken."""
    kept = pretty(without_secrets(made.document))
    durable.write(places.etc / ACCEPTED, kept, MODE, places.shared)


Step = Callable[[Places, Plan], None]
STEPS: Final[Sequence[Step]] = (
    _trust,
    _settings,
    _certificate,
    _brokers,
    _configuration,
    _accept,
)
