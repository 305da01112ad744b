"""Check the configuration, and prove at each broker that this node may say and hear its own."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

CONFIG = Path("/etc/edgenode/edgenode.toml")
WELL, FAILED = 0, 1


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", type=Path, default=CONFIG, help=f"default: {CONFIG}")
    parser.add_argument("--offline", action="store_true", help="the file only, no broker")


def run(args: argparse.Namespace) -> int:
    """Report what is wrong; mistakes in the file are a ConfigError, which names each line."""
    from edgenode.config import load  # noqa: PLC0415 - `--help` shall not pay for it

    config = load(args.config)
    print(f"{args.config}: {len(config.sensors)} sensors on {len(config.buses)} buses, no mistakes")
    if args.offline:
        return WELL

    from edgenode.clock import SystemClock  # noqa: PLC0415 - the same
    from edgenode.node.parts import uplink_options  # noqa: PLC0415 - the same
    from edgenode.uplink import trial  # noqa: PLC0415 - the same

    options, code = uplink_options(config), WELL
    for broker in options.brokers:
        found = trial(options, broker, SystemClock(), threading.Event())
        verdict = "refused" if found.problems else f"works, MQTT {found.protocol}"
        print(f"{broker.host}:{broker.port}: {verdict}")
        for problem in found.problems:
            print(f"  {problem}")
            code = FAILED
        for warning in found.warnings:
            print(f"  note: {warning}")
    return code
