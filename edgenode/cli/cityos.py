"""The receiving side: `receive` stores and acknowledges, `audit` accounts for what was stored.

`import` stores what a node exported into a file; the rest is for the operator.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from edgenode.cityos.audit import Audit, audit
from edgenode.cityos.intake import Outcome
from edgenode.cityos.wording import iso
from edgenode.cli import citycommissioned, citynodes, exporting, replacing, reporting
from edgenode.cli.brokers import add_broker_options, brokers_of, node_id, share_name
from edgenode.cli.sinks import add_sink_options, awaited_sink, open_sink
from edgenode.errors import ConfigError

READY_AFTER_S = 5.0  # with one broker down the others are served all the same


def register(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs and their options."""
    verbs = parser.add_subparsers(
        dest="verb",
        required=True,
        metavar="receive|audit|import|export|nodes|commissioned|replace|report",
    )
    receive = verbs.add_parser("receive", help="store what nodes send and acknowledge it")
    add_broker_options(receive, many=True)
    receive.add_argument(
        "--silence", type=int, default=300, metavar="S", help="a node is silent after S seconds"
    )
    receive.add_argument(
        "--share", type=share_name, metavar="GROUP",
        help="share the batches with the other receivers of this name (MQTT 5)",
    )  # fmt: skip
    account = verbs.add_parser("audit", help="what arrived, what is missing and why; 1 if not well")
    account.add_argument("--node", type=node_id, metavar="HEX", help="one node (default: all)")
    account.add_argument("--json", action="store_true", help="one JSON object per node and line")
    brought = verbs.add_parser("import", help="store what `edgenode spool export` wrote")
    brought.add_argument("file", type=Path, metavar="FILE", help="the exported file")
    handed = verbs.add_parser("export", help="hand readings on: NGSI-LD, SensorThings, JSON lines")
    exporting.register(handed)
    standing = verbs.add_parser("nodes", help="how every node is, the worst first; 1 if any is bad")
    citynodes.register(standing)
    proved = verbs.add_parser("commissioned", help="the record of a node's commissioning")
    citycommissioned.register(proved)
    replaced = verbs.add_parser("replace", help="say what stands where something else stood")
    replacing.register(replaced)
    told = verbs.add_parser("report", help="one place as one page: plots, gaps, clock, bytes")
    reporting.register(told)
    for sub in (receive, account, brought, handed, standing, proved, replaced, told):
        add_sink_options(sub)


def run(args: argparse.Namespace) -> int:
    """Run one of them; 0 well, 1 otherwise."""
    works = {
        "receive": _receive, "audit": _audit, "import": _import, "export": exporting.run,
        "nodes": citynodes.run, "commissioned": citycommissioned.run, "replace": replacing.run,
        "report": reporting.run,
    }  # fmt: skip
    return works[args.verb](args)


def _import(args: argparse.Namespace) -> int:
    """Take in a file; 1 where a message in it was refused, or is in conflict with what is held."""
    from edgenode.cityos.bulk import bring  # noqa: PLC0415 - the other verbs do not need it
    from edgenode.cityos.city import City, CityOptions, monotonic_ms, utc_ms  # noqa: PLC0415 - same

    options = CityOptions()
    try:
        file = args.file.open("rb")
    except OSError as exc:
        raise ConfigError([f"cannot read {args.file}: {exc.strerror}"]) from exc
    with file, open_sink(args) as sink:
        found = bring(City(sink, options), file, options.prefix, monotonic_ms(), utc_ms())
    print(
        f"{found[Outcome.STORED]} batches stored, {found[Outcome.DUPLICATE]} known already,"
        f" {found[Outcome.NOTED]} births; {found[Outcome.REFUSED]} refused,"
        f" {found[Outcome.CONFLICT]} in conflict"
    )
    return 1 if found[Outcome.REFUSED] or found[Outcome.CONFLICT] else 0


def _receive(args: argparse.Namespace) -> int:
    from edgenode.cityos.city import CityOptions  # noqa: PLC0415 - audit shall not load MQTT
    from edgenode.cityos.receiver import Receiver  # noqa: PLC0415 - the same

    options = CityOptions(args.prefix, args.silence * 1000, args.share or "")
    stop = threading.Event()
    _on_signal(stop.set)
    with awaited_sink(args, stop.wait, _say) as sink:
        if sink is None:
            return 0
        receiver = Receiver(brokers_of(args), sink, options, _say)
        _on_signal(receiver.stop)
        if stop.is_set():
            return 0
        teller = threading.Thread(target=_tell_ready, args=(receiver.wait_ready, sink.name))
        teller.start()
        try:
            receiver.run()
        finally:
            teller.join()
    return 0


def _on_signal(end: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end())


def _tell_ready(wait_ready: Callable[[float], list[str]], db: str) -> None:
    ready = wait_ready(READY_AFTER_S)
    if ready:
        print(f"ready: receiving from {', '.join(ready)} into {db}", flush=True)


def _say(text: str) -> None:
    print(f"edgenode cityos: {text}", file=sys.stderr, flush=True)


def _audit(args: argparse.Namespace) -> int:
    with open_sink(args, readonly=True) as sink:
        nodes = sink.nodes() if args.node is None else [args.node]
        audits = [audit(sink, node) for node in nodes]
    for one in audits:
        print(json.dumps(as_json(one)) if args.json else as_text(one))
    if not audits:
        print("no node has been heard", file=sys.stderr)
    return 0 if all(one.well for one in audits) else 1


def as_json(one: Audit) -> dict[str, object]:
    """Return an audit as JSON holds it; the contract is in docs/city-os.md."""
    return {
        "node": one.node.hex(),
        "well": one.well,
        "presence": one.presence,
        "last_seen": iso(one.last_seen),
        "duplicates": one.duplicates,
        "conflicts": one.conflicts,
        "refused": one.refused,
        "streams": [
            {
                "spool": s.spool.hex(), "stream": s.stream, "batches": s.batches,
                "expected": s.expected, "received": s.received, "lost": s.lost, "held": s.held,
                "unexplained": s.unexplained,
                "unexplained_ranges": [list(part) for part in s.unexplained_ranges],
                "repeated": s.repeated, "waiting": s.waiting, "faulty": s.faulty,
            }
            for s in one.streams
        ],
        "latency_ms": None if one.latency is None else one.latency._asdict(),
        "clocks": {name: share._asdict() for name, share in one.clocks.items()},
        "alarms": list(one.alarms),
        "successions": [citynodes.succession(x) for x in one.successions],
    }  # fmt: skip


def as_text(one: Audit) -> str:
    """Return an audit for a person."""
    verdict = "well" if one.well else "NOT WELL"
    lines = [
        f"node {one.node.hex()}: {verdict}, {one.presence}, last heard {iso(one.last_seen)}",
        f"  again {one.duplicates}, in conflict {one.conflicts}, refused {one.refused}",
    ]
    for s in one.streams:
        lines.append(
            f"  spool {s.spool.hex()} stream {s.stream}: {s.received} of {s.expected} readings"
            f" in {s.batches} batches"
        )
        why = [f"{count} lost ({reason})" for reason, count in s.lost.items() if count]
        why += [f"{s.held} still at the node"] if s.held else []
        why += (
            [f"{s.unexplained} UNEXPLAINED {list(s.unexplained_ranges)}"] if s.unexplained else []
        )
        why += [f"{s.repeated} REPEATED"] if s.repeated else []
        why += [f"{s.faulty} batches FAULTY"] if s.faulty else []
        why += [f"{s.waiting} batches wait for their birth"] if s.waiting else []
        lines += [f"    {reason}" for reason in why]
    if one.latency is not None:
        late = one.latency
        lines.append(
            f"  latency ms: least {late.least}, median {late.median}, p95 {late.p95},"
            f" most {late.most}"
        )
    for name, share in one.clocks.items():
        told = "only an interval" if share.err_most is None else f"error up to {share.err_most} ms"
        lines.append(f"  clock {name}: {share.stamps} stamps, {told}")
    lines += [f"  alarm {text}" for text in one.alarms]
    lines += [f"  {x.old} continues as {x.new} since {iso(x.since)}" for x in one.successions]
    return "\n".join(lines)
