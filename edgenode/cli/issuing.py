"""`edgenode provision new` and `district`: sign what nodes are to be told."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgenode.cli import WELL
from edgenode.errors import ProvisionError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from edgenode.provision.issue import Template

# Options of `new` that are columns of a district too; their texts are read alike.
OPTIONS: Final = {
    "id": "HEX", "name": "TEXT", "latitude": "DEGREES", "longitude": "DEGREES",
    "purpose": "TEXT", "url": "URL", "address": "ADDRESS/PREFIX", "gateway": "ADDRESS",
    "dns": "ADDRESSES", "ssid": "TEXT", "apn": "NAME",
}  # fmt: skip
SHORTER: Final = {"latitude": "--lat", "longitude": "--lon"}
SECRETS: Final = {"psk": "passphrase of the Wi-Fi", "token": "one-time token of EST"}
PEMS: Final = {
    "trust": ("trust",), "est_trust": ("enrol", "trust"),
    "certificate": ("enrol", "certificate"), "node_key": ("enrol", "key"),
}  # fmt: skip


def register_new(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `new`."""
    _common(parser)
    for name, metavar in OPTIONS.items():
        spellings = [f"--{name}", *([SHORTER[name]] if name in SHORTER else [])]
        parser.add_argument(*spellings, default="", metavar=metavar)
    for name, what in SECRETS.items():
        parser.add_argument(f"--{name}-file", type=Path, metavar="FILE", help=f"the {what}")
    parser.add_argument("--est", default="", metavar="URL", help="server that certifies the node")
    for name in PEMS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, metavar="FILE", help="in PEM")
    parser.add_argument(
        "--broker", action="append", default=[], metavar="HOST[:PORT]",
        help="in place of those of the template (again for more)",
    )  # fmt: skip
    parser.add_argument(
        "--ssh-key", action="append", type=Path, default=[], metavar="FILE",
        help="a .pub of who may log in, beside those of the template (again for more)",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="PLACE=VALUE",
        help="any other member, such as sensors.square.serial=BME-0042 (again for more)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("node.json"), metavar="FILE", help="node.json"
    )


def register_district(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `district`."""
    parser.add_argument("csv", type=Path, metavar="FILE", help="the CSV, a row for each node")
    _common(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIRECTORY",
        help="gets ID/node.json for each node, and district.csv",
    )  # fmt: skip


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--template", type=Path, metavar="FILE",
        help="what nodes have in common: a node.json, the same in TOML, or an edgenode.toml",
    )  # fmt: skip
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="that signs")
    add_passphrase_options(parser)
    parser.add_argument("--serial", type=int, metavar="N", help="of the document; it must rise")


def add_passphrase_options(parser: argparse.ArgumentParser) -> None:
    """Declare where the passphrase of a key is."""
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="that of the key")


def new(args: argparse.Namespace) -> int:
    """Make one document; nothing is written where it has a mistake."""
    from edgenode.provision.columns import Columns  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.provision.files import written  # noqa: PLC0415 - the same
    from edgenode.provision.issue import composed, issued, random_id  # noqa: PLC0415 - the same

    pattern = _template(args)
    own = [*Columns(pattern.common).own(_texts(args)), *_from_files(args, pattern)]
    node = args.id or pattern.node or random_id()
    whole = composed(node, _serial(args, pattern), _now(), pattern.common, own)
    data, document = issued(whole, _key(args))
    written(args.out, data, 0o600)
    key = document.signature.key if document.signature else ""
    print(f"{args.out}: node {node}, serial {document.serial}, signed by key {key}")
    _notes(document)
    print("it holds secrets: copy it to the partition EDGENODE of the card, and nowhere else")
    return WELL


def district(args: argparse.Namespace) -> int:
    """Make the documents of all rows, or of none."""
    from edgenode.provision.district import SUMMARY, documents, filed  # noqa: PLC0415 - the same

    pattern = _template(args)
    made = documents(args.csv, pattern, _key(args), _serial(args, pattern), _now())
    filed(made, args.out)
    print(f"{args.out}: {len(made)} documents, one below the id of each node; they hold secrets")
    print(f"{args.out / SUMMARY}: what was made, without secrets")
    return WELL


def new_passphrase(args: argparse.Namespace) -> bytes | None:
    """Return the passphrase that a key shall get, of a file or typed twice; None without one."""
    if args.passphrase_file:
        return _line(args.passphrase_file).encode()
    if not args.passphrase:
        return None
    first = getpass.getpass("passphrase: ")
    if not first or first != getpass.getpass("again: "):
        raise ProvisionError(["the passphrase is empty, or the two are not the same; nothing done"])
    return first.encode()


def placed(exc: ProvisionError, path: Path) -> ProvisionError:
    """Return mistakes with the file that they are in."""
    return ProvisionError([f"{path}: {problem}" for problem in exc.problems])


def _key(args: argparse.Namespace) -> Ed25519PrivateKey:
    from edgenode.provision.keys import is_closed, private_from  # noqa: PLC0415 - the same

    passphrase = _line(args.passphrase_file).encode() if args.passphrase_file else None
    if passphrase is None and sys.stdin.isatty() and is_closed(args.key):
        passphrase = getpass.getpass(f"passphrase of {args.key}: ").encode()
    return private_from(args.key, passphrase)


def _template(args: argparse.Namespace) -> Template:
    from edgenode.provision.issue import Template, template  # noqa: PLC0415 - the same

    return template(args.template) if args.template else Template({})


def _serial(args: argparse.Namespace, pattern: Template) -> int:
    return args.serial if args.serial is not None else pattern.serial + 1


def _now() -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - the same

    from edgenode.provision.issue import moment  # noqa: PLC0415 - the same

    return moment(datetime.now(UTC))


def _texts(args: argparse.Namespace) -> dict[str, str]:
    texts = {name: getattr(args, name) for name in OPTIONS}
    for name in SECRETS:
        path = getattr(args, f"{name}_file")
        texts |= {name: _line(path)} if path else {}
    texts |= {"enrol.est": args.est} if args.est else {}
    for pair in args.set:
        place, sign, text = pair.partition("=")
        if not sign:
            raise ProvisionError([f"--set {pair}: write PLACE=VALUE"])
        texts[place] = text
    return texts


def _from_files(args: argparse.Namespace, pattern: Template) -> list[tuple[Any, Any]]:
    """Return what lies in files and what comes in rows, each with its place."""
    own: list[tuple[Any, Any]] = [
        (place, _text(getattr(args, name))) for name, place in PEMS.items() if getattr(args, name)
    ]
    if args.broker:
        own.append((("brokers",), [_broker(text) for text in args.broker]))
    if args.ssh_key:
        before = pattern.common.get("ssh_keys", [])
        lines = [_line(path) for path in args.ssh_key]
        own.append((("ssh_keys",), [*before, *lines] if isinstance(before, list) else lines))
    return own


def _broker(text: str) -> dict[str, Any]:
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.endswith("]")):
        return {"host": host.strip("[]"), "port": int(port)}
    return {"host": text.strip("[]")}


def _text(path: Path) -> str:
    from edgenode.provision.files import content  # noqa: PLC0415 - the same

    try:
        text = content(path, 128 << 10).decode()
    except UnicodeDecodeError as exc:
        raise ProvisionError([f"{path}: not UTF-8 text at byte {exc.start}"]) from exc
    return text.replace("\r\n", "\n")


def _line(path: Path) -> str:
    """Return the only line of a file, such as a token."""
    text = _text(path).strip("\r\n")
    if not text or "\n" in text:
        raise ProvisionError([f"{path}: must hold one line, and nothing else"])
    return text


def _notes(document: Any) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415 - the same

    from edgenode.provision.facts import notes  # noqa: PLC0415 - the same

    for note in notes(document, datetime.now(UTC)):
        print(f"note: {note}")
