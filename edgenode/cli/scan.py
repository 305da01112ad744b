"""Look what stands on the wires of this machine, and print the stanzas for it."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from edgenode.cli import INTERRUPTED, NOT_WELL, USAGE, WELL
from edgenode.cli.asking import STATE, add_config_option, harmless
from edgenode.cli.words import many

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edgenode.config import Config
    from edgenode.scan.found import Surveyed, Wire
    from edgenode.scan.stanza import Stanza

NOTHING: Final = {  # what to say of a wire on which nothing was seen
    "i2c": "nobody answers: check supply and wires, and whether SDA and SCL are swapped",
    "serial": "nobody talks or answers: check supply, and whether A and B, or TX and RX, are "
    "swapped; a part on a cable may have another address (--addresses)",
    "gpio": "a virtual chip, whose lines cannot be listed",
    "sysfs": "no part that a driver of the kernel reads",
}
TO_SCAN: Final = (
    "a daemon uses these wires now: sudo systemctl stop edgenode, scan, and start it again; "
    "what it reads is told by edgenode sensors"
)


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "wire",
        nargs="*",
        metavar="WIRE",
        help="a device such as /dev/i2c-1, or KIND=PATH; without one, all that there are",
    )
    add_config_option(parser)
    parser.add_argument("--write", action="store_true", help="add the stanzas to the file")
    parser.add_argument(
        "--purpose", default="", metavar="TEXT", help="why all of this may be measured"
    )
    parser.add_argument(
        "--addresses",
        default="",
        metavar="A-B",
        help="where to look on shared serial cables, such as 1-32 or 1,5,17 (Modbus: 1 to 5)",
    )
    parser.add_argument("--json", action="store_true", help="one object instead of sentences")


def run(args: argparse.Namespace) -> int:
    """Look: 0 every wire was looked at, 1 one could not be, 2 the file has mistakes."""
    from edgenode.errors import NodeError  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.scan import stanzas, wires  # noqa: PLC0415 - the same
    from edgenode.scan.cable import numbers  # noqa: PLC0415 - the same
    from edgenode.scan.places import wire_of  # noqa: PLC0415 - the same

    config = _config(args)
    if args.write and config is None:
        print(f"{args.config}: there is no such file to add to; begin with deploy/edgenode.toml")
        return USAGE
    try:
        addresses = numbers(args.addresses) if args.addresses else ()
        asked = [wire_of(text) for text in args.wire] or wires()
    except NodeError as exc:
        print(f"edgenode scan: {exc}", file=sys.stderr)
        return USAGE
    found, stopped = _looked(args, asked, addresses, _state(config))
    made = stanzas(found, config, args.purpose)
    written = not stopped and _written(args, made)
    if args.json:
        document = _document(found, made, str(args.config) if written else None)
        print(json.dumps(document, ensure_ascii=False))
    elif not written:
        named = any(seen.driver for one in found for seen in one.seen)
        _tell_stanzas(args, made, named=named, stopped=stopped)
    if stopped:
        return INTERRUPTED
    return NOT_WELL if any(one.problem for one in found) else WELL


def _looked(
    args: argparse.Namespace, asked: Sequence[Wire], addresses: Sequence[int], state: Path
) -> tuple[list[Surveyed], bool]:
    """Look at the wires and tell of each; return what was seen, and whether it was stopped."""
    from edgenode.cli.probing import alone  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.scan import survey  # noqa: PLC0415 - the same

    found: list[Surveyed] = []
    stopped = False
    with alone(state, TO_SCAN), _stoppable() as stop:
        if not args.json:
            print(_begun(asked), flush=True)
        for one in survey(asked, stop, addresses):
            found.append(one)
            stopped = stop.is_set()
            if not args.json:
                _tell(one)
    return found, stopped


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Set the event by Ctrl-C or SIGTERM; by the second one the command ends at once."""
    import signal  # noqa: PLC0415 - `--help` shall not pay for it
    import threading  # noqa: PLC0415 - the same

    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def restored() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stopping(*_: object) -> None:
        stop.set()
        restored()

    for number in numbers:
        signal.signal(number, stopping)
    try:
        yield stop
    finally:
        restored()


def _begun(asked: Sequence[Wire]) -> str:
    """Return what is looked at, and how long that takes."""
    wires = many(len(asked), "wire")
    if not any(wire.kind == "serial" for wire in asked):
        return f"looking at {wires}"
    return f"looking at {wires}; a silent serial port takes half a minute, Ctrl-C ends it sooner"


def _tell_stanzas(
    args: argparse.Namespace, made: Sequence[Stanza], *, named: bool, stopped: bool
) -> None:
    for stanza in made:
        print(f"\n{stanza.text}", end="")
    if stopped:
        rest = f", and {args.config} was left as it is" if args.write else ""
        print(f"\nstopped: what stands above was seen until then{rest}")
    elif made:
        print(f"\n{many(len(made), 'stanza')} to add: edgenode scan --write --purpose TEXT")
    elif named:
        print(f"\nnothing to add: {args.config} has all that was named")


def _config(args: argparse.Namespace) -> Config | None:
    from edgenode.config import load  # noqa: PLC0415 - `--help` shall not pay for it

    return load(args.config) if args.config.exists() else None


def _state(config: Config | None) -> Any:
    from pathlib import Path  # noqa: PLC0415 - `--help` shall not pay for it

    return config.node.state if config else Path(STATE)


def _written(args: argparse.Namespace, made: Sequence[Stanza]) -> bool:
    """Add the stanzas where that is asked for; return whether the file was written."""
    from edgenode.scan import added  # noqa: PLC0415 - `--help` shall not pay for it

    if not (args.write and made):
        return False
    added(args.config, made)
    if not args.json:
        names = ", ".join(stanza.sensor for stanza in made)
        print(f"{args.config}: added {names}; next: edgenode check --probe")
    return True


def _tell(one: Surveyed) -> None:
    print(f"{one.wire.path} ({one.wire.kind})", flush=True)
    for seen in one.seen:
        name = f"{seen.driver}: " if seen.driver else ""
        place = f"{seen.place}  " if seen.place else ""
        print(harmless(f"  {place}{name}{seen.words}"), flush=True)
    if one.problem:
        print(f"  ! {one.problem}", flush=True)
    elif not one.seen:
        print(f"  {NOTHING[one.wire.kind]}", flush=True)


def _document(
    found: Sequence[Surveyed], made: Sequence[Stanza], written: str | None
) -> dict[str, Any]:
    return {
        "format": 1,
        "wires": [
            {
                "kind": one.wire.kind,
                "path": one.wire.path,
                "problem": one.problem,
                "seen": [
                    {
                        "place": seen.place,
                        "driver": seen.driver,
                        "words": seen.words,
                        "options": dict(seen.options),
                    }
                    for seen in one.seen
                ],
            }
            for one in found
        ],
        "stanzas": [{"sensor": stanza.sensor, "text": stanza.text} for stanza in made],
        "written": written,
    }
