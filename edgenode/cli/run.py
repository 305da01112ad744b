"""Run the daemon: sample, keep and forward until SIGTERM. With --drain, only send what is kept."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from edgenode.cli.asking import add_config_option

if TYPE_CHECKING:
    from edgenode.config import Config
    from edgenode.node import Stop


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_config_option(parser)
    parser.add_argument("--drain", action="store_true", help="sample nothing, send all, leave")
    parser.add_argument(
        "--timeout", type=float, default=600.0, metavar="S", help="of --drain; default 600 s"
    )


def run(args: argparse.Namespace) -> int:
    """Leave by os._exit: a thread in an uninterruptible read would outlive a normal exit."""
    # Who asks to reload while we are still starting will get what the file says then anyway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    from edgenode.config import load  # noqa: PLC0415 - `--help` shall not pay for the node
    from edgenode.node import Stop  # noqa: PLC0415 - the same
    from edgenode.node.logs import to_journal  # noqa: PLC0415 - the same

    to_journal(sys.stderr)
    config = load(args.config)
    stop = Stop()
    stop.listen()
    code = _drain(config, stop, args.timeout) if args.drain else _run(config, args, stop)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run(config: Config, args: argparse.Namespace, stop: Stop) -> int:
    import logging  # noqa: PLC0415 - the same

    from edgenode.clock import SystemClock  # noqa: PLC0415 - the same
    from edgenode.node import Daemon, Notifier  # noqa: PLC0415 - the same

    for warning in config.warnings:
        logging.getLogger(__name__).warning("%s", warning)
    clock = SystemClock(config.clock.manual_err_ms)
    return Daemon(config, args.config, clock, Notifier(), stop).run()


def _drain(config: Config, stop: Stop, timeout_s: float) -> int:
    from edgenode.clock import SystemClock  # noqa: PLC0415 - the same
    from edgenode.node import drain  # noqa: PLC0415 - the same

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
