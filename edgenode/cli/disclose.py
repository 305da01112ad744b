"""Say what this node senses, what for, how long it is kept, and who answers for it."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

from edgenode.cli import NO_DAEMON, NOT_WELL, WELL
from edgenode.cli.asking import SOCKET, add_config_option, asked, harmless, show

ADVICE: Final = "write it in [site], then edgenode reload"


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--lang", choices=("en", "ko"), default="en", help="English or Korean; default: en"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--dtpr", action="store_true", help="a data chain of DTPR, as JSON")
    form.add_argument("--sign", metavar="FILE", help="write a sign to print: FILE.svg or FILE.pdf")
    parser.add_argument(
        "--font", metavar="FILE", help="for a PDF: a TrueType font that has all its letters"
    )
    parser.add_argument("--json", action="store_true", help="the document of docs/cli.md")
    parser.add_argument("--socket", default=SOCKET, metavar="PATH", help=f"default: {SOCKET}")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon, else read the file; 1 where [site] leaves out what people would ask."""
    document, code = _document(args)
    if args.sign:
        code = max(code, _sign(args, document))
    elif args.dtpr:
        from edgenode.disclosure.dtpr import chain  # noqa: PLC0415 - only where asked for

        _print_json(chain(document))
    else:
        show(args, document, lambda found: map(harmless, _text(found, args.lang)))
    missing = _missing(document)
    if missing:
        print(f"[site] does not say: {', '.join(missing)}; {ADVICE}", file=sys.stderr)
    return code or (NOT_WELL if missing else WELL)


def _document(args: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Return what runs; without a daemon what the file says, and then the code for no daemon."""
    from edgenode.control import NoDaemon  # noqa: PLC0415 - `--help` shall not pay for it

    try:
        return asked(args, "disclose"), WELL
    except NoDaemon as exc:
        from edgenode.config import load  # noqa: PLC0415 - who asks the daemon shall not pay
        from edgenode.node.disclosing import disclosed  # noqa: PLC0415 - the same

        print(f"{exc}; this is from {args.config}", file=sys.stderr)
        return disclosed(load(args.config), str(args.config)), NO_DAEMON


def _text(document: dict[str, Any], language: str) -> list[str]:
    from edgenode.disclosure.summary import summary  # noqa: PLC0415 - `--help` shall not pay
    from edgenode.disclosure.text import lines  # noqa: PLC0415 - the same

    return list(lines(summary(document, language)))


def _missing(document: dict[str, Any]) -> tuple[str, ...]:
    from edgenode.disclosure.summary import summary  # noqa: PLC0415 - `--help` shall not pay

    return summary(document, "en").missing


def _sign(args: argparse.Namespace, document: dict[str, Any]) -> int:
    from edgenode.disclosure.sign import write  # noqa: PLC0415 - only where asked for

    written = write(args.sign, document, args.lang, args.font)
    show(args, {"format": 1, "file": args.sign, "bytes": written}, lambda _: [args.sign])
    return WELL


def _print_json(document: dict[str, Any]) -> None:
    import json  # noqa: PLC0415 - only where asked for

    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    print()
