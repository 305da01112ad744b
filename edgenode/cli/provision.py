"""Make, check and show the document that tells a node everything: node.json."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenode.cli import USAGE, WELL, issuing

if TYPE_CHECKING:
    from edgenode.provision.tables import Document

CITY_KEY = Path("city.key")


def register(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs and their options."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="key|new|district|check|show")
    key = verbs.add_parser("key", help="make the key that signs documents, and FILE.pub")
    key.add_argument("file", type=Path, metavar="FILE", help="the private key; keep it safe")
    issuing.add_passphrase_options(key)
    key.add_argument("--passphrase", action="store_true", help="ask for a passphrase")
    new = verbs.add_parser("new", help="make the document of one node")
    issuing.register_new(new)
    district = verbs.add_parser("district", help="make the documents of many, from a CSV")
    issuing.register_district(district)
    check = verbs.add_parser("check", help="who signed it, what the node will be, every mistake")
    check.add_argument("file", type=Path, metavar="FILE", help="a node.json")
    check.add_argument(
        "--trust", action="append", type=Path, default=[], metavar="PATH",
        help="a .pub, or a directory of them: one of these keys must have signed (again for more)",
    )  # fmt: skip
    check.add_argument("--json", action="store_true", help="one object instead of sentences")
    show = verbs.add_parser("show", help="a document in plain words, its secrets hidden")
    show.add_argument("file", type=Path, metavar="FILE", help="a node.json, also one of a node")
    show.add_argument("--json", action="store_true", help="the document without its secrets")


def run(args: argparse.Namespace) -> int:
    """Run one of them: 0 done, 2 with mistakes, each of which is printed."""
    works = {
        "key": _key, "new": issuing.new, "district": issuing.district, "check": _check,
        "show": _show,
    }  # fmt: skip
    return works[args.verb](args)


def _key(args: argparse.Namespace) -> int:
    from edgenode.provision.keys import made  # noqa: PLC0415 - `--help` shall not pay for it

    public = made(args.file, issuing.new_passphrase(args))
    print(f"{args.file}: the key that signs; whoever has it can tell any node anything")
    print(f"{public.name}: key {public.id}; lay it as city.pub beside node.json on the cards")
    return WELL


def _check(args: argparse.Namespace) -> int:
    from edgenode.errors import ProvisionError  # noqa: PLC0415 - the same
    from edgenode.provision.keys import trusted  # noqa: PLC0415 - the same

    found: dict[str, Any] = {
        "format": 1, "file": str(args.file), "node": None, "serial": None, "signer": None,
        "trusted": False, "problems": [], "notes": [],
    }  # fmt: skip
    try:
        keys = trusted(*args.trust) if args.trust else None
        document = _read(args.file, keys)
    except ProvisionError as exc:
        if not args.json:
            raise
        print(json.dumps(found | {"problems": exc.problems}, ensure_ascii=False))
        return USAGE
    _tell(args, document, found | {"trusted": keys is not None})
    return WELL


def _tell(args: argparse.Namespace, document: Document, found: dict[str, Any]) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415 - the same

    from edgenode.provision.facts import notes  # noqa: PLC0415 - the same

    told = list(notes(document, datetime.now(UTC)))
    signer = document.signature.key if document.signature else None
    if args.json:
        found |= {"node": document.node.id, "serial": document.serial, "signer": signer}
        print(json.dumps(found | {"notes": told}, ensure_ascii=False))
        return
    by = f"signed by key {signer}" if signer else "signed by nobody: no node will take it"
    whose = ", which is trusted" if found["trusted"] else "; say by --trust whose that must be"
    print(f"{args.file}: no mistakes, {by}{whose if signer else ''}")
    _print_facts(document)
    for note in told:
        print(f"note: {note}")


def _show(args: argparse.Namespace) -> int:
    from edgenode.errors import ProvisionError  # noqa: PLC0415 - the same
    from edgenode.provision.canonical import MAX_BYTES  # noqa: PLC0415
    from edgenode.provision.document import stored, without_secrets  # noqa: PLC0415
    from edgenode.provision.files import content  # noqa: PLC0415 - the same

    data = content(args.file, MAX_BYTES)
    try:
        document = stored(data)
    except ProvisionError as exc:
        raise issuing.placed(exc, args.file) from exc
    if args.json:
        print(json.dumps(without_secrets(document), ensure_ascii=False, indent=2))
    else:
        _print_facts(document)
    return WELL


def _print_facts(document: Document) -> None:
    from edgenode.provision.facts import facts  # noqa: PLC0415 - the same

    for name, text in facts(document):
        print(f"  {name:<12} {text}")


def _read(path: Path, keys: Any) -> Document:
    from edgenode.errors import ProvisionError  # noqa: PLC0415 - the same
    from edgenode.provision.canonical import MAX_BYTES  # noqa: PLC0415 - the same
    from edgenode.provision.document import read  # noqa: PLC0415 - the same
    from edgenode.provision.files import content  # noqa: PLC0415 - the same

    data = content(path, MAX_BYTES)
    try:
        return read(data, keys)
    except ProvisionError as exc:
        raise issuing.placed(exc, path) from exc
