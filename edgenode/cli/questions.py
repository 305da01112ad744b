"""The three questions of a commissioning: what nobody can measure. Each has a flag."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edgenode.commission.evidence import Answers

LONGEST: Final = 80  # characters of an answer
SEEN: Final = ("yes", "no", "unseen")
WHO: Final = "Who commissions (badge or company; it is sent to the city)"
WHERE: Final = "Number of the photo or box of this mounting"
LAMP: Final = "Does the lamp of the box show a calm light, dark for a moment each 2 s"


def register(parser: argparse.ArgumentParser) -> None:
    """Declare a flag for each question."""
    parser.add_argument("--installer", type=short, metavar="TEXT", help="who commissions")
    parser.add_argument("--mounting", type=short, metavar="TEXT", help="number of a photo or box")
    parser.add_argument("--lamp", choices=SEEN, help="whether the lamp shows a calm light")
    parser.add_argument("--unattended", action="store_true", help="ask nothing; take defaults")


def short(text: str) -> str:
    """Accept printable text of at most 80 characters."""
    if len(text) > LONGEST or not text.isprintable():
        raise argparse.ArgumentTypeError(f"write at most {LONGEST} printable characters")
    return text


def asked(args: argparse.Namespace, *, lamp: bool) -> Answers:
    """Return the answers: of the flags, else of who stands there, else the defaults.

    Nobody is asked where the input is no terminal. `lamp` tells whether the node has one.
    """
    from edgenode.commission.evidence import Answers  # noqa: PLC0415 - `--help` shall not pay

    ask = sys.stdin.isatty() and not args.unattended and not args.json
    seen = ""
    if lamp:
        seen = args.lamp or (_choice(LAMP) if ask else "unseen")
    return Answers(
        installer=_text(WHO, args.installer, ask=ask),
        mounting=_text(WHERE, args.mounting, ask=ask),
        lamp=seen,
    )


def _text(question: str, given: str | None, *, ask: bool) -> str:
    """Return an answer; what is too long is asked again."""
    while ask and given is None:
        line = _line(f"{question} [none]: ")
        try:
            given = short(line)
        except argparse.ArgumentTypeError as exc:
            print(exc, file=sys.stderr)
    return given or ""


def _choice(question: str) -> str:
    while True:
        line = _line(f"{question}? yes, no, unseen [unseen]: ").lower()
        found = next((word for word in SEEN if line and word.startswith(line)), "")
        if found or not line:
            return found or "unseen"
        print(f"write one of {', '.join(SEEN)}", file=sys.stderr)


def _line(question: str) -> str:
    """Ask on the error output, so that the answer can be piped; the end of input is the default."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
