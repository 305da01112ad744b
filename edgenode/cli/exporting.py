"""`edgenode cityos export`: hand on what the sink holds, to a platform or into lines."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from edgenode.cli.sinks import awaited_sink, open_sink
from edgenode.errors import CityError, ConfigError
from edgenode.reading import Privacy

if TYPE_CHECKING:  # what they import is heavy, and `--help` shall not pay for it
    from edgenode.cityos.export.drain import Exporter
    from edgenode.cityos.export.places import Places
    from edgenode.cityos.export.state import State
    from edgenode.cityos.export.web import Client

ONCE_TRIES = 5  # with --once a platform that is down is given up
PRIVACIES = {"open": Privacy.OPEN, "internal": Privacy.INTERNAL}


def register(parser: argparse.ArgumentParser) -> None:
    """Add the kinds of export and their options; the caller adds those of the sink."""
    parser.add_argument("kind", choices=("ngsi-ld", "sensorthings", "jsonl"), help="what to speak")
    parser.add_argument("--to", default="-", metavar="URL|FILE", help="the platform, or the file")
    parser.add_argument("--name", default="", help="whose cursor it is (default: the kind)")
    parser.add_argument("--once", action="store_true", help="end when nothing is left")
    parser.add_argument(
        "--privacy", choices=tuple(PRIVACIES), default="open",
        help="the most private channels that leave (default open)",
    )  # fmt: skip
    parser.add_argument("--ca", type=Path, metavar="FILE", help="default: the system's")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="sent as Bearer token")
    parser.add_argument("--tenant", default="", help="ngsi-ld: the tenant")
    parser.add_argument(
        "--context", action="append", default=[], metavar="URL",
        help="ngsi-ld: the JSON-LD context instead of that of the models; again for more",
    )  # fmt: skip
    parser.add_argument(
        "--no-temporal", action="store_true", help="ngsi-ld: drop what is not the newest"
    )
    parser.add_argument("--refused", action="store_true", help="print what was refused, and end")


def run(args: argparse.Namespace) -> int:
    """Export until a signal comes, or once; 1 where the platform could not be reached."""
    from edgenode.cityos.export.drain import Drain  # noqa: PLC0415 - see above
    from edgenode.cityos.export.places import Places  # noqa: PLC0415 - the same
    from edgenode.cityos.export.state import State  # noqa: PLC0415 - the same
    from edgenode.cityos.export.web import Halted  # noqa: PLC0415 - the same
    from edgenode.cityos.outbox import Outbox  # noqa: PLC0415 - the same

    _check(args)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    name = args.name or args.kind
    with ExitStack() as stack:
        soon = args.once or args.refused
        sink = stack.enter_context(open_sink(args) if soon else awaited_sink(args, stop.wait, _say))
        if sink is None:
            return 0
        state, places = State(sink, name), Places(sink)
        if args.refused:
            return _print_refused(state)
        exporter = stack.enter_context(_exporter(args, state, places, stop))
        drain = Drain(Outbox(sink, name), places, exporter, _say, PRIVACIES[args.privacy])
        try:
            count = drain.run(stop.wait, once=args.once)
        except Halted as exc:
            if stop.is_set():
                return 0
            raise CityError(f"given up: {exc}; what was not taken is kept") from exc
    _say(f"{count} readings exported")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raise ConfigError for options that cannot be meant together."""
    ngsi = args.tenant or args.context or args.no_temporal
    web = args.ca or args.token_file
    problems = []
    if args.kind != "jsonl" and args.to == "-" and not args.refused:
        problems.append(f"{args.kind} wants --to URL, where the platform is")
    if args.kind != "ngsi-ld" and ngsi:
        problems.append("--tenant, --context and --no-temporal are for ngsi-ld")
    if args.kind == "jsonl" and web:
        problems.append("--ca and --token-file are for platforms, and jsonl writes a file")
    if problems:
        raise ConfigError(problems)


@contextmanager
def _exporter(
    args: argparse.Namespace, state: State, places: Places, stop: threading.Event
) -> Iterator[Exporter]:
    if args.kind == "jsonl":
        from edgenode.cityos.export.jsonl import JsonLines  # noqa: PLC0415 - see above

        with _opened(args.to) as file:
            yield JsonLines(file, durable=args.to != "-")
        return
    from edgenode.cityos.export.web import Client, target  # noqa: PLC0415 - see above

    where = target(args.to, args.ca, args.token_file, args.tenant)
    client = Client(where, stop.wait, _say, ONCE_TRIES if args.once else None)
    try:
        yield _speaker(args, client, state, places)
    finally:
        client.close()


def _speaker(args: argparse.Namespace, client: Client, state: State, places: Places) -> Exporter:
    from edgenode.cityos.city import utc_ms  # noqa: PLC0415 - see above

    if args.kind == "sensorthings":
        from edgenode.cityos.export.sensorthings import SensorThings  # noqa: PLC0415 - see above

        return SensorThings(client, places, state, utc_ms)
    from edgenode.cityos.export.entities import Mapper  # noqa: PLC0415 - see above
    from edgenode.cityos.export.ngsild import NgsiLd  # noqa: PLC0415 - see above

    return NgsiLd(
        client, Mapper(places), state, utc_ms,
        context=args.context, temporal=not args.no_temporal,
    )  # fmt: skip


@contextmanager
def _opened(name: str) -> Iterator[IO[str]]:
    if name == "-":
        yield sys.stdout
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(name).open("a", encoding="utf-8"))
        except OSError as exc:
            raise ConfigError([f"cannot write {name}: {exc.strerror}"]) from exc
        yield file


def _print_refused(state: State) -> int:
    """Print what is kept aside as JSON lines; 1 where there is any."""
    kept = state.refused()
    for one in kept:
        print(json.dumps(one._asdict()))
    return 1 if kept else 0


def _say(text: str) -> None:
    print(f"edgenode cityos export: {text}", file=sys.stderr, flush=True)
