"""Find what is amiss with this node, with reason and remedy; nothing is asked or changed."""

from __future__ import annotations

import argparse

from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import add_config_option, show


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_config_option(parser)
    parser.add_argument("--json", action="store_true", help="the document of docs/cli.md")


def run(args: argparse.Namespace) -> int:
    """Look and judge: 0 nothing is to fix, 1 something is."""
    from edgenode.cli import findings as told  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.commission.checks import judged  # noqa: PLC0415 - the same
    from edgenode.commission.finding import PASS, verdict  # noqa: PLC0415 - the same
    from edgenode.commission.gather import gather  # noqa: PLC0415 - the same
    from edgenode.commission.scope import DOCTOR  # noqa: PLC0415 - the same

    evidence = gather(args.config, DOCTOR, told.sayer(quiet=args.json), told.without)
    found = judged(evidence)
    document = told.document(evidence, found)
    show(args, document, lambda _: [*told.measured(evidence), *told.lines(found),
                                    told.headline(found)])  # fmt: skip
    return WELL if verdict(found) == PASS else NOT_WELL
