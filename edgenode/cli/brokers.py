"""Options that name brokers and nodes, shared by the verbs that listen."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgenode.cityos.brokers import CityBroker, split_address
from edgenode.cityos.topics import PREFIX
from edgenode.errors import ConfigError


def add_broker_options(parser: argparse.ArgumentParser, *, many: bool) -> None:
    """Add the options of a connection; with `many`, --broker may be given several times."""
    parser.add_argument(
        "--broker",
        action="append" if many else "store",
        required=True,
        metavar="HOST[:PORT]",
        help="where to listen" + ("; again for more brokers" if many else ""),
    )
    parser.add_argument("--prefix", default=PREFIX, help=f"of all topics (default {PREFIX})")
    parser.add_argument("--no-tls", action="store_true", help="without TLS: on loopback only")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="default: the system's")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="our certificate")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its key")
    parser.add_argument("--username", default="")
    parser.add_argument("--password-file", type=Path, metavar="FILE")


def brokers_of(args: argparse.Namespace) -> list[CityBroker]:
    """Return the brokers asked for; raises ConfigError for all that cannot be meant."""
    named = args.broker if isinstance(args.broker, list) else [args.broker]
    problems, found = [], []
    for text in named:
        try:
            host, port = split_address(text, tls=not args.no_tls)
        except ValueError as exc:
            problems.append(f"--broker: {exc}")
            continue
        found.append(
            CityBroker(
                host,
                port,
                not args.no_tls,
                args.ca,
                args.cert,
                args.key,
                args.username,
                args.password_file,
            )
        )
    if args.no_tls and (args.ca or args.cert or args.key):
        problems.append("--no-tls and certificates contradict each other; leave one out")
    if args.password_file is not None and not args.username:
        problems.append("--password-file wants a --username")
    if problems:
        raise ConfigError(problems)
    return found


def share_name(text: str) -> str:
    """Read the name of a group of receivers: MQTT 5 allows no '/', '+' or '#' in it (4.8.2)."""
    if not text or set(text) & set("/+#") or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is no name: it may not hold '/', '+' or '#'")
    return text


def node_id(text: str) -> bytes:
    """Read a node id: 8 to 32 hex digits, an even number."""
    try:
        node = bytes.fromhex(text)
    except ValueError:
        node = b""
    if not 4 <= len(node) <= 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not 8 to 32 hex digits")
    return node
