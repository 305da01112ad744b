"""`edgenode cityos commissioned NODE`: what its commissioning found, and whether it is proved."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import harmless
from edgenode.cli.brokers import node_id
from edgenode.cli.sinks import open_sink
from edgenode.cli.words import when
from edgenode.errors import CityError, ConfigError

if TYPE_CHECKING:
    from edgenode.cityos.operate.commissioned import Commissioned


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options; the caller adds --db."""
    parser.add_argument("node", type=node_id, metavar="NODE", help="its id in hexadecimal")
    parser.add_argument(
        "--cert", type=Path, metavar="FILE", help="the certificate of the node, to prove it by"
    )
    parser.add_argument("--json", action="store_true", help="one object instead of sentences")


def run(args: argparse.Namespace) -> int:
    """Show it: 0 it passed and is proved as far as asked, 1 otherwise."""
    from edgenode.cityos.operate.commissioned import commissioned  # noqa: PLC0415 - `--help`

    with open_sink(args, readonly=True) as sink:
        found = commissioned(sink, args.node)
    if found is None:
        raise CityError(f"{args.node.hex()} has told no record: run edgenode commission on it")
    doubt = None if args.cert is None else _doubt(found, args.cert)
    if args.json:
        print(json.dumps({"format": 1, "doubt": doubt, "record": found.record}))
    else:
        print("\n".join(map(harmless, _text(found, doubt))))
    return NOT_WELL if doubt or found.verdict != "PASS" else WELL


def _doubt(found: Commissioned, path: Path) -> str:
    from edgenode.commission.signature import PEM_MOST, doubt  # noqa: PLC0415 - with --cert

    try:
        with path.open("rb") as file:
            return doubt(found.text, file.read(PEM_MOST))
    except OSError as exc:
        raise ConfigError([f"--cert: cannot read {path}: {exc.strerror}"]) from exc


def _text(found: Commissioned, doubt: str | None) -> Iterator[str]:
    record = found.record
    yield f"node {record['node']}: {found.verdict}, commissioned {when(found.at)}"
    answers = record.get("answers")
    for key, value in answers.items() if isinstance(answers, dict) else ():
        if value:
            yield f"  {key} {value}"
    findings = record.get("findings")
    for row in findings if isinstance(findings, list) else ():
        if isinstance(row, dict):
            yield f"  {'note' if row.get('note') else 'FIX '} {row.get('what', '')}"
    if record.get("more_findings"):
        yield f"  and {record['more_findings']} more"
    if doubt is None:
        signed = "signed; prove it with --cert FILE" if found.signed else "not signed"
        yield f"  {signed}"
    else:
        yield f"  NOT PROVED: {doubt}" if doubt else "  signed by the key of that certificate"
