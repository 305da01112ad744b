"""Run many simulated nodes, and some real ones, against brokers on this machine: a load test.

Their spools, wire format and uplinks are those of a node. What they make is noted in a ledger,
which is compared at the end with what the receiver has stored.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgenode.cli.brokers import add_broker_options, brokers_of
from edgenode.cli.sinks import add_sink_options, open_sink
from edgenode.errors import ConfigError, NodeError

if TYPE_CHECKING:
    from edgenode.fleet import Outage, Plan

RAM_DISK = Path("/dev/shm")  # noqa: S108 - where Linux keeps files in memory: shm_overview(7)

STARTS_PER_S = 40  # more keep one core from its other work
RAMP_S = 5.0  # at least


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_broker_options(parser, many=True)
    add = parser.add_argument
    add("--nodes", type=int, default=10, metavar="N", help="simulated nodes; default 10")
    add("--channels", type=int, default=20, metavar="N", help="of each node; default 20")
    add("--every", type=float, default=1.0, metavar="S", help="between two reads; default 1 s")
    add("--seconds", type=float, default=60.0, metavar="S", help="of reading; default 60")
    add("--real", type=int, default=0, metavar="N", help="daemons of their own beside them")
    add_sink_options(parser, required=False)
    add("--state", type=Path, metavar="DIRECTORY", help="of ledger and spools; default: temporary")
    add("--spool", choices=("memory", "disk"), default="memory", help="where spools are kept")
    add(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="for simulated nodes",
    )
    add("--ramp", type=float, metavar="S", help="within which nodes start; default: 40 a second")
    add("--window", type=float, default=60.0, metavar="S", help="of a batch while connected")
    add("--offline-window", type=float, default=600.0, metavar="S", help="of one while not")
    add("--outage", type=_outage, metavar="AT:S", help="cut all links of simulated nodes")
    add(
        "--flaps",
        type=float,
        default=1.0,
        metavar="N",
        help="outages of each node by itself, per hour",
    )
    add("--kills", type=int, default=0, metavar="N", help="simulated nodes that lose their memory")
    add("--clock-error", type=int, default=500, metavar="MS", help="of nodes' clocks at most")
    add("--custody", choices=("city", "broker"), default="city", help="whose ack is the last")
    add("--settle", type=float, default=120.0, metavar="S", help="until all is acknowledged")
    add("--really", action="store_true", help="also to a broker that is not on loopback")
    add("--json", action="store_true", help="one JSON object per second, the account last")


def _outage(text: str) -> Outage:
    from edgenode.fleet.plan import Outage  # noqa: PLC0415 - `--help` shall not pay for it

    at, _, seconds = text.partition(":")
    try:
        return Outage(float(at), float(seconds))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not AT:S, such as 20:30") from None


def run(args: argparse.Namespace) -> int:
    """Run the fleet; 0 when everything was acknowledged and the ledger agrees with the sink."""
    plan = _plan(args)
    # Both end it like Ctrl-C, and with it every process that it started.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as files, ExitStack() as memory:
        plan = _placed(plan, args, files, memory)
        well = _run(plan, args)
        if not well:
            files.pop_all()
            print(f"what the run left behind is in {plan.directory}", file=sys.stderr)
    return 0 if well else 1


def _plan(args: argparse.Namespace) -> Plan:
    """Return what is asked for; raises ConfigError, before anything is made."""
    from edgenode.fleet import Plan, foreign  # noqa: PLC0415 - only the run needs it
    from edgenode.uplink import Broker  # noqa: PLC0415 - the same

    brokers = tuple(
        Broker(x.host, x.port, x.tls, x.ca, x.cert, x.key, x.username, x.password_file)
        for x in brokers_of(args)
    )
    if not args.really and (problems := foreign(brokers)):
        raise ConfigError(problems)
    if args.db is not None:
        open_sink(args, readonly=True).close()  # what cannot be compared is told now
    return Plan(
        run=secrets.randbelow(1 << 16),
        directory=args.state or Path(),
        brokers=brokers,
        nodes=args.nodes,
        channels=args.channels,
        every_ms=round(args.every * 1000),
        seconds=args.seconds,
        real=args.real,
        processes=max(1, min(args.processes, args.nodes)),
        prefix=args.prefix,
        custody=args.custody,
        window_ms=round(args.window * 1000),
        offline_window_ms=round(args.offline_window * 1000),
        ramp_s=max(RAMP_S, args.nodes / STARTS_PER_S) if args.ramp is None else args.ramp,
        settle_s=args.settle,
        outage=args.outage,
        flaps_per_h=args.flaps,
        kills=args.kills,
        clock_error_ms=args.clock_error,
    )


def _placed(plan: Plan, args: argparse.Namespace, files: ExitStack, memory: ExitStack) -> Plan:
    """Make the directories; temporary ones go when their stack is left."""
    from edgenode.fleet.plan import LEDGER  # noqa: PLC0415 - only the run needs it

    directory = args.state.resolve() if args.state else _temporary(None, files)
    if (directory / LEDGER).exists():
        raise NodeError(f"{directory} holds the ledger of another run; name another --state")
    in_memory = args.spool == "memory" and RAM_DISK.is_dir()
    spools = _temporary(RAM_DISK, memory) if in_memory else None
    return replace(plan, directory=directory, spools=spools)


def _temporary(where: Path | None, stack: ExitStack) -> Path:
    made = Path(tempfile.mkdtemp(prefix="edgenode-fleet-", dir=where))
    stack.callback(shutil.rmtree, made, ignore_errors=True)
    return made


def _run(plan: Plan, args: argparse.Namespace) -> bool:
    from edgenode.cli.fleetwords import Telling  # noqa: PLC0415 - only the run needs it
    from edgenode.fleet import Fleet  # noqa: PLC0415 - the same
    from edgenode.fleet.verdict import judge  # noqa: PLC0415 - the same

    telling = Telling(plan, as_json=args.json)
    with Fleet(plan, args.db) as fleet:
        outcome = fleet.run(telling.second)
        real = fleet.real
    with ExitStack() as stack:
        sink = None if args.db is None else stack.enter_context(open_sink(args, readonly=True))
        verdict = judge(plan, real, outcome, sink)
    telling.verdict(verdict)
    return verdict.well
