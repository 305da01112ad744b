"""What a document comes to, found right before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from edgenode import durable
from edgenode.errors import ProvisionError
from edgenode.provision.canonical import MAX_BYTES
from edgenode.provision.certificates import certificates, unfit
from edgenode.provision.configuration import render
from edgenode.provision.document import read, stored
from edgenode.provision.keys import public_from, trusted
from edgenode.provision.network import files as network_files
from edgenode.provision.places import ACCEPTED, CITY_KEY, DOCUMENT, KEYS, Places
from edgenode.provision.settings import Setting, Settings, following, settings
from edgenode.provision.store import Enrolment
from edgenode.provision.tables import Document

if TYPE_CHECKING:
    from edgenode.provision.keys import PublicKey

MAINTAINER: Final = "maintainer"
KEYS_FILE: Final = "~/.ssh/authorized_keys"
SECRET: Final = 0o600


class Plan(NamedTuple):
    """All that the steps write. Not `fresh`: it was accepted before, and lies there still."""

    document: Document
    fresh: bool
    city_key: bytes | None  # to be trusted from here on; None where there is one already
    settings: Settings
    toml: str


def plan(places: Places, now: datetime) -> Plan | None:
    """Return what the document on the boot partition comes to; None where there is none.

    Changes nothing. Raises ProvisionError with all that is wrong, NodeError for damaged files.
    """
    data = _found(places.boot / DOCUMENT)
    if data is None:
        return None
    keys, city_key = _keys(places)
    document = read(data, keys)
    before = accepted(places.etc)
    fresh = _newer(document, before)
    problems = list(_unready(document, now)) if fresh else []
    if problems:
        raise ProvisionError(problems)
    coming = following(settings(places.etc), list(_files(document)))
    return Plan(document, fresh, city_key, coming, render(document))


def accepted(etc: Path) -> Document | None:
    """Return the document that was taken last, without its secrets; raises ProvisionError."""
    path = etc / ACCEPTED
    if not path.exists():
        return None
    try:
        return stored(path.read_bytes())
    except ProvisionError as exc:
        words = f"{path} is damaged; remove it to take any document that a trusted key has signed"
        raise ProvisionError([words, *exc.problems]) from exc


def enrolling(document: Document) -> Enrolment:
    """Return what a document says of its EST server."""
    enrol = document.enrol
    assert enrol is not None  # noqa: S101 - asked for where there is one
    return Enrolment(
        node=document.node.id,
        est=enrol.est,
        trust=enrol.trust,
        proxy=document.network.proxy,
        token=enrol.token,
    )


def _found(path: Path) -> bytes | None:
    try:
        return durable.read(path, MAX_BYTES)
    except OSError as exc:
        words = f"{path}: cannot be read: {exc.strerror}; copy it to the boot partition once more"
        raise ProvisionError([words]) from exc


def _keys(places: Places) -> tuple[list[PublicKey], bytes | None]:
    """Return the trusted keys; that of the boot partition, as bytes too, where there are none."""
    keys = trusted(places.etc / KEYS)
    if keys:
        return keys, None
    path = places.boot / CITY_KEY
    pem = _found(path)
    if pem is None:
        words = f"no key is trusted here yet, and {CITY_KEY} does not lie beside {DOCUMENT}"
        raise ProvisionError([f"{words}; copy the city's .pub there under that name"])
    return [public_from(pem, CITY_KEY)], pem


def _newer(document: Document, before: Document | None) -> bool:
    """Whether a document is to be taken; False where it is the one that was accepted."""
    if before is None:
        return True
    if document.node.id != before.node.id:
        words = f"this node is {before.node.id}, and the document that of {document.node.id}"
        here = f"to make it that one remove /etc/edgenode/{ACCEPTED} first"
        raise ProvisionError([f"node.id: {words}; copy the right one, or {here}"])
    if document.serial > before.serial:
        return True
    if document.serial == before.serial and document.signature == before.signature:
        return False
    words = f"serial: this node has taken document {before.serial} of {before.issued} already"
    raise ProvisionError([f"{words}; give a later one a serial above that, not {document.serial}"])


def _unready(document: Document, now: datetime) -> Iterator[str]:
    """Yield why a ready certificate cannot be used at `now`; its key was looked at before."""
    enrol = document.enrol
    if enrol is not None and enrol.certificate:
        for problem in unfit(certificates(enrol.certificate)[0], document.node.id, now):
            yield f"enrol.certificate: {problem}; make a new one"


def _files(document: Document) -> Iterator[Setting]:
    """Yield the settings of the machine that a document brings."""
    yield from network_files(document.network)
    yield Setting("etc/hostname", f"edgenode-{document.node.id}\n")
    if document.ssh_keys:
        text = "".join(f"{key}\n" for key in document.ssh_keys)
        yield Setting(KEYS_FILE, text, SECRET, MAINTAINER)
