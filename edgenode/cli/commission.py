"""Prove at the pole that this node works: PASS, or what to fix, in order; the record is signed."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from edgenode.cli import NO_DAEMON, NOT_WELL, WELL, questions
from edgenode.cli.asking import add_config_option, show
from edgenode.commission.scope import COMMISSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgenode.commission.evidence import Evidence
    from edgenode.commission.finding import Finding
    from edgenode.config import Config


WAIT_MOST_S: Final = 600  # a satellite's window; more is no test any more


class Kept(NamedTuple):
    """What became of the record."""

    file: str
    unsigned: str = ""  # why it bears no signature
    unsent: str = ""  # why the daemon does not publish it


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_config_option(parser)
    parser.add_argument(
        "--plan", type=Path, metavar="FILE", help="default: node.json beside the configuration"
    )
    parser.add_argument(
        "--wait", type=_wait, default=COMMISSION.deliver_s, metavar="S",
        help="how long a batch may take to the City OS, 1 to 600 s; default: 35",
    )  # fmt: skip
    questions.register(parser)
    parser.add_argument("--label", metavar="FILE", help="write a label: FILE.svg or FILE.png")
    parser.add_argument("--json", action="store_true", help="the document of docs/cli.md")


def run(args: argparse.Namespace) -> int:
    """Look, ask, judge, record and send: 0 PASS, 1 something is to fix, 3 no daemon answers."""
    from edgenode.cli import findings as told  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.commission.checks import judged  # noqa: PLC0415 - the same
    from edgenode.commission.finding import PASS, verdict  # noqa: PLC0415 - the same
    from edgenode.commission.gather import gather  # noqa: PLC0415 - the same
    from edgenode.config import load  # noqa: PLC0415 - the same

    config = load(args.config)
    _ready(args, config)
    answers = questions.asked(args, lamp=config.lamp is not None)
    say = told.sayer(quiet=args.json)
    scope = replace(COMMISSION, deliver_s=args.wait)
    try:
        evidence = gather(args.config, scope, say, told.without, args.plan)
    except KeyboardInterrupt:
        say("interrupted: nothing was recorded")
        raise
    evidence = replace(evidence, answers=answers)
    found = judged(evidence)
    kept = None if evidence.absent is not None else _kept(args.config, config, evidence, found)
    label = None if args.label is None else _label(args.label, config)
    document = told.document(evidence, found) | _told(kept, label)
    show(args, document, lambda _: [
        *told.measured(evidence), *told.lines(found), *_record_lines(kept, label),
        told.headline(found),
    ])  # fmt: skip
    if evidence.absent is not None:
        return NO_DAEMON
    return WELL if verdict(found) == PASS else NOT_WELL


def _wait(text: str) -> float:
    seconds = int(text) if text.isdecimal() else 0
    if not 1 <= seconds <= WAIT_MOST_S:
        raise argparse.ArgumentTypeError(f"{text!r}: write whole seconds, 1 to {WAIT_MOST_S}")
    return float(seconds)


def _ready(args: argparse.Namespace, config: Config) -> None:
    """Raise an error before anybody is asked where the end could not be reached."""
    from edgenode.errors import ConfigError, NodeError  # noqa: PLC0415 - `--help` shall not pay

    if args.plan is not None and not args.plan.is_file():
        raise ConfigError([f"--plan {args.plan}: there is no such file"])
    state = config.node.state
    if state.is_dir() and not os.access(state, os.W_OK | os.X_OK):
        raise NodeError(f"{state}: the record goes there: sudo edgenode commission")
    if args.label is not None:
        from edgenode.commission.label import suffix_of  # noqa: PLC0415 - only where asked for

        suffix_of(args.label)


def _kept(path: Path, config: Config, evidence: Evidence, found: list[Finding]) -> Kept:
    """Sign the record where there is a key, store it, and let the daemon publish it."""
    from edgenode.commission import record, signature  # noqa: PLC0415 - `--help` shall not pay
    from edgenode.errors import NodeError  # noqa: PLC0415 - the same

    made, unsigned = record.made(evidence, found), ""
    key = signature.first_key(signature.keys_of(path, config))
    if key is None:
        unsigned = f"there is no {signature.key_beside(path)}"
    else:
        try:
            made = signature.signed(made, key)
        except NodeError as exc:
            unsigned = str(exc)
    file = record.stored(made, config.node.state)
    return Kept(str(file), unsigned, _unsent(config))


def _unsent(config: Config) -> str:
    """Let the daemon take up the record; return why it does not."""
    from edgenode.cli.asking import SLOW_S  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.control import NoDaemon, Refused, ask  # noqa: PLC0415 - the same

    try:
        answer = ask(config.node.socket, "reload", SLOW_S)
    except (NoDaemon, Refused) as exc:
        return f"{exc}; then: sudo edgenode reload"
    return "; ".join(answer["problems"])


def _label(path: str, config: Config) -> str:
    from edgenode.commission.label import write  # noqa: PLC0415 - only where asked for

    return write(path, config.node.id, config.site.name, config.site.url)


def _told(kept: Kept | None, label: str | None) -> dict[str, Any]:
    return {
        "record": None if kept is None else kept.file,
        "unsigned": None if kept is None else kept.unsigned or None,
        "unsent": None if kept is None else kept.unsent or None,
        "label": label,
    }


def _record_lines(kept: Kept | None, label: str | None) -> Iterator[str]:
    if kept is None:
        yield "record    none: no daemon answers, so nothing was proved"
    else:
        signed = f"NOT signed: {kept.unsigned}" if kept.unsigned else "signed"
        sent = f"NOT sent: {kept.unsent}" if kept.unsent else "goes to the city"
        yield f"record    {kept.file}: {signed}; {sent}"
    if label is not None:
        yield f"label     {label}"
