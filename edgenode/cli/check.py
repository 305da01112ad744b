"""Check the configuration, this machine, each broker and, when asked to, each sensor."""

from __future__ import annotations

import argparse
import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgenode.cli import NOT_WELL, USAGE, WELL
from edgenode.cli.asking import add_config_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgenode.cli.probing import Finding
    from edgenode.config import Config

WIDTH: Final = 100
HARD: Final = "\N{NO-BREAK SPACE}"
BARE: Final = frozenset({"1", "/"})  # units of SenML for what has none: numbers and ratios


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_config_option(parser)
    parser.add_argument("--offline", action="store_true", help="no broker is asked")
    parser.add_argument("--probe", action="store_true", help="open and read each sensor once")
    parser.add_argument("--json", action="store_true", help="one object instead of sentences")
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of the file for editors"
    )


def run(args: argparse.Namespace) -> int:
    """Report what is wrong: 0 nothing, 1 a broker or a sensor failed, 2 the file has mistakes."""
    if args.schema:
        from edgenode.config.schema import schema  # noqa: PLC0415 - only where asked for

        print(json.dumps(schema(), indent=2, ensure_ascii=False))
        return WELL
    report = Report(args.config, quiet=args.json)
    code = _checked(args, report)
    if args.json:
        print(json.dumps(report.found, ensure_ascii=False))
    return code


class Report:
    """What was found, told line by line as it is found, or kept for one object."""

    def __init__(self, file: Path, *, quiet: bool) -> None:
        self._quiet = quiet
        self.found: dict[str, Any] = {
            "format": 1,
            "file": str(file),
            "sensors": None,
            "buses": None,
            "problems": [],
            "warnings": [],
            "brokers": [],
            "probe": [],
        }

    def say(self, line: str) -> None:
        if not self._quiet:
            print(line, flush=True)

    def add(self, kind: str, row: object) -> None:
        self.found[kind].append(row)


def _checked(args: argparse.Namespace, report: Report) -> int:
    from edgenode.config import load  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.config.surroundings import surroundings  # noqa: PLC0415 - the same
    from edgenode.errors import ConfigError  # noqa: PLC0415 - the same

    try:
        config = load(args.config)
    except ConfigError as exc:
        if not args.json:
            raise
        report.found["problems"] = exc.problems
        return USAGE
    report.found |= {"sensors": len(config.sensors), "buses": len(config.buses)}
    counts = f"{len(config.sensors)} sensors on {len(config.buses)} buses"
    report.say(f"{args.config}: {counts}, no mistakes")
    for warning in [*config.warnings, *surroundings(config)]:
        report.add("warnings", warning)
        report.say(f"note: {warning}")
    ask = config.uplink.broker and not args.offline
    codes = [_brokers(config, report)] if ask else []
    codes += [_probe(config, report)] if args.probe else []
    return max(codes, default=WELL)


def _brokers(config: Config, report: Report) -> int:
    import threading  # noqa: PLC0415 - `--help` shall not pay for it

    from edgenode.clock import SystemClock  # noqa: PLC0415 - the same
    from edgenode.errors import NodeError  # noqa: PLC0415 - the same
    from edgenode.node.parts import uplink_options  # noqa: PLC0415 - the same
    from edgenode.uplink import trial  # noqa: PLC0415 - the same

    try:
        options = uplink_options(config)
    except NodeError as exc:  # a credential that systemd hands to the daemon alone
        report.add("problems", str(exc))
        report.say(str(exc))
        return NOT_WELL
    code = WELL
    for broker in options.brokers:
        found = trial(options, broker, SystemClock(), threading.Event())
        verdict = "refused" if found.problems else f"works, MQTT {found.protocol}"
        report.say(f"{broker.host}:{broker.port}: {verdict}")
        for problem in found.problems:
            report.say(f"  {problem}")
            code = NOT_WELL
        for warning in found.warnings:
            report.say(f"  note: {warning}")
        report.add(
            "brokers",
            {
                "broker": broker.address,
                "protocol": found.protocol,
                "problems": list(found.problems),
                "warnings": list(found.warnings),
            },
        )
    return code


def _probe(config: Config, report: Report) -> int:
    from edgenode.cli.probing import alone, probe  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.clock import SystemClock  # noqa: PLC0415 - the same

    code = WELL
    with alone(config.node.state):
        for finding in probe(config, SystemClock().boot_ms):
            code = NOT_WELL if finding.problem else code
            _tell(finding, report)
    return code


def _tell(finding: Finding, report: Report) -> None:
    where = f"{finding.sensor} on {finding.bus}"
    if finding.problem:
        report.say(f"{where}: {finding.problem}")
        report.say(f"  {finding.advice}")
    else:
        report.say(_wrapped(f"{where}: {'; '.join(_shown(finding))}"))
    report.add(
        "probe",
        {
            "sensor": finding.sensor,
            "bus": finding.bus,
            "ok": not finding.problem,
            "problem": finding.problem,
            "advice": finding.advice,
            "readings": [
                {"channel": r.channel, "value": r.value, "unit": r.unit, "quality": r.quality}
                for r in finding.readings
            ],
        },
    )


def _shown(finding: Finding) -> Iterator[str]:
    """Yield the values, then the names of those that have none, by their quality."""
    values, without = [], dict[str, list[str]]()
    for one in finding.readings:
        name = one.channel.partition("/")[2]
        if one.value is None:
            without.setdefault(one.quality, []).append(name)
            continue
        unit = "" if one.unit in BARE else f" {one.unit}"
        mark = "" if one.quality == "ok" else f" ({one.quality})"
        values.append(f"{name} {one.value:z.{one.decimals}f}{unit}{mark}")
    if values:
        yield ", ".join(values)
    for quality, names in without.items():
        yield f"no value yet ({quality}): {', '.join(names)}"


def _wrapped(line: str) -> str:
    """Return it in lines that break between values only."""
    kept = re.sub(r"(?<![,;:]) ", HARD, line)
    wrapped = textwrap.fill(kept, WIDTH, subsequent_indent="  ", break_long_words=False)
    return wrapped.replace(HARD, " ")
