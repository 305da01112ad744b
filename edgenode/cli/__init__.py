"""The command line: a table of verbs, each in a module of its own that only its use imports.

Exit codes: 0 well, 1 degraded or failed, 2 wrong usage or configuration, 3 no daemon answers.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from edgenode import __version__

WELL, NOT_WELL, USAGE, NO_DAEMON = 0, 1, 2, 3
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class Verb(NamedTuple):
    """Where a verb lives and what it does; the module has `register(parser)` and `run(args)`."""

    module: str
    does: str


VERBS = {
    "status": Verb("edgenode.cli.status", "is this node well, since when, and what to do"),
    "sensors": Verb("edgenode.cli.sensors", "every sensor and channel: state, value, quality, age"),
    "read": Verb("edgenode.cli.read", "read one sensor now"),
    "why": Verb("edgenode.cli.why", "why a channel is as it is: verdict, evidence, what to do"),
    "top": Verb("edgenode.cli.top", "watch the node live"),
    "spool": Verb("edgenode.cli.spool", "what waits, for how long there is room; export, verify"),
    "history": Verb("edgenode.cli.history", "what was wrong, from when to when"),
    "maintenance": Verb("edgenode.cli.maintenance", "say that somebody works on this node"),
    "clock": Verb(
        "edgenode.cli.clock", "what this machine knows of the time; step its clock to it"
    ),
    "disclose": Verb("edgenode.cli.disclose", "what this node senses, and what for"),
    "check": Verb("edgenode.cli.check", "find mistakes in the configuration and at the brokers"),
    "commission": Verb("edgenode.cli.commission", "prove at the pole that this node works"),
    "doctor": Verb("edgenode.cli.doctor", "find what is amiss, with reason and remedy"),
    "scan": Verb("edgenode.cli.scan", "look what stands on the wires, and write its stanzas"),
    "flash": Verb("edgenode.cli.flash", "write an image to a card and verify it; list devices"),
    "reload": Verb("edgenode.cli.reload", "let the daemon read its configuration again"),
    "metrics": Verb("edgenode.cli.metrics", "the node in OpenMetrics text"),
    "provision": Verb("edgenode.cli.provision", "make and check what a node is told: node.json"),
    "bundle": Verb("edgenode.cli.bundle", "write an archive for whoever helps, without secrets"),
    "update": Verb("edgenode.cli.update", "the two systems on the card: install, keep, go back"),
    "firstboot": Verb("edgenode.cli.firstboot", "take the node.json on the boot partition"),
    "certificate": Verb("edgenode.cli.certificate", "whose certificate, until when; renew, enrol"),
    "completion": Verb("edgenode.cli.completion", "print a completion script for a shell"),
    "run": Verb("edgenode.cli.run", "sample, keep and forward: the daemon"),
    "demo": Verb("edgenode.cli.demo", "show the whole road on this machine and account for it"),
    "cityos": Verb("edgenode.cli.cityos", "the receiving side: receive and audit"),
    "fleet": Verb("edgenode.cli.fleet", "run many simulated nodes against brokers: a load test"),
    "tail": Verb("edgenode.cli.tail", "print readings as they arrive at a broker"),
    "decode": Verb("edgenode.cli.decode", "print a message of the wire format in plain words"),
}


def usage() -> str:
    """One line per verb."""
    lines = [f"  {verb:<12} {row.does}" for verb, row in VERBS.items()]
    head = "usage: edgenode [--help] [--version] VERB …\n\nverbs (edgenode VERB --help tells more):"
    tail = "exit codes: 0 well, 1 degraded or failed, 2 wrong usage, 3 no daemon answers"
    return "\n".join([head, *lines, "", tail])


def main(argv: list[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    first = words[0] if words else "--help"
    if first in {"-h", "--help", "help"}:
        print(usage())
        return WELL if words else USAGE
    if first in {"-V", "--version"}:
        print(f"edgenode {__version__}")
        return WELL
    if first not in VERBS:
        print(f"edgenode: no verb {first!r}{_meant(first)}\n\n{usage()}", file=sys.stderr)
        return USAGE
    return _run(first, words[1:])


def _meant(word: str) -> str:
    from edgenode.errors import nearest  # noqa: PLC0415 - `--help` alone shall not pay for it

    near = nearest(word, VERBS)
    return f"; did you mean {near!r}?" if near else ""


def _run(verb: str, words: list[str]) -> int:
    import argparse  # noqa: PLC0415 - `--help` alone shall not pay for it
    from importlib import import_module  # noqa: PLC0415 - the same

    from edgenode.errors import ConfigError, EdgenodeError  # noqa: PLC0415 - the same

    module = import_module(VERBS[verb].module)
    parser = argparse.ArgumentParser(prog=f"edgenode {verb}", description=module.__doc__)
    module.register(parser)
    try:
        return int(module.run(parser.parse_args(words)))
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        return USAGE
    except EdgenodeError as exc:
        print(f"edgenode {verb}: {exc}", file=sys.stderr)
        return USAGE if getattr(exc, "kind", "") == "usage" else NOT_WELL  # BadRequest of control
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output left, e.g. `| head`
        sys.stderr.close()
        return NOT_WELL
