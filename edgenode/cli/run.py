"""Run the daemon: sample, keep and forward until SIGTERM. With --drain, only send what is kept."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from edgenode.cli.asking import add_config_option
from edgenode.clock import SystemClock
from edgenode.config import Config, load
from edgenode.node import Daemon, Notifier, Stop, drain
from edgenode.node.logs import to_journal

LOG = logging.getLogger(__name__)


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_config_option(parser)
    parser.add_argument("--drain", action="store_true", help="sample nothing, send all, leave")
    parser.add_argument(
        "--timeout", type=float, default=600.0, metavar="S", help="of --drain; default 600 s"
    )


def run(args: argparse.Namespace) -> int:
    """Leave by os._exit: a thread in an uninterruptible read would outlive a normal exit."""
    to_journal(sys.stderr)
    config = load(args.config)
    stop = Stop()
    stop.listen()
    code = _drain(config, stop, args.timeout) if args.drain else _run(config, args.config, stop)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(config: Config, path: Path, stop: Stop) -> int:
    for warning in config.warnings:
        LOG.warning("%s", warning)
    clock = SystemClock(config.clock.manual_err_ms)
    return Daemon(config, path, clock, Notifier(), stop).run()


def _drain(config: Config, stop: Stop, timeout_s: float) -> int:
    left = drain(config, SystemClock(config.clock.manual_err_ms), stop, timeout_s)
    if left.empty:
        print(f"drained: {left.sent} batches sent, everything is acknowledged, nothing is left")
        return 0
    print(
        f"not drained: {left.held} batches are not acknowledged and {left.unsealed} readings not"
        " sealed; they are kept. Check the broker and the receiver, then drain again.",
        file=sys.stderr,
    )
    return 1
