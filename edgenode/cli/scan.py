"""Look what stands on the wires of this machine, and print the stanzas for it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from edgenode.cli import NOT_WELL, USAGE, WELL
from edgenode.cli.asking import STATE, add_config_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgenode.config import Config
    from edgenode.scan.found import Surveyed
    from edgenode.scan.stanza import Stanza


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
    parser.add_argument("--json", action="store_true", help="one object instead of sentences")


def run(args: argparse.Namespace) -> int:
    """Look: 0 every wire was looked at, 1 one could not be, 2 the file has mistakes."""
    import threading  # noqa: PLC0415 - `--help` shall not pay for it

    from edgenode.cli.probing import alone  # noqa: PLC0415 - the same
    from edgenode.scan import stanzas, survey, wires  # noqa: PLC0415 - the same
    from edgenode.scan.places import wire_of  # noqa: PLC0415 - the same

    config = _config(args)
    if args.write and config is None:
        print(f"{args.config}: there is no such file to add to; begin with deploy/edgenode.toml")
        return USAGE
    asked = [wire_of(text) for text in args.wire] or wires()
    found: list[Surveyed] = []
    with alone(_state(config)):
        for one in survey(asked, threading.Event()):
            found.append(one)
            if not args.json:
                _tell(one)
    made = stanzas(found, config, args.purpose)
    written = _written(args, made)
    if args.json:
        document = _document(found, made, str(args.config) if written else None)
        print(json.dumps(document, ensure_ascii=False))
    elif made and not written:
        print("\n" + "\n".join(stanza.text for stanza in made), end="")
    return NOT_WELL if any(one.problem for one in found) else WELL


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
        print(f"  {place}{name}{seen.words}")
    if one.problem:
        print(f"  ! {one.problem}")
    elif not one.seen:
        print("  nothing answers")


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
