"""The man page edgenode(1), made from what the parsers of the command line take (man(7))."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from edgenode import __version__
from edgenode.cli import VERBS
from edgenode.cli.grammar import Argument, Grammar

HEAD = """\
.SH NAME
edgenode \\- edge gateway for city sensor nodes
.SH SYNOPSIS
.B edgenode
.I VERB
.RI [ OPTION ]...
.SH DESCRIPTION
The daemon
.B edgenode run
samples the sensors of a node, keeps every reading through power cuts and outages, and forwards
batches over MQTT until the city's platform says that it has them. The other verbs ask it, check its
configuration, or serve the receiving side.
"""
TAIL = """\
.SH EXIT STATUS
0 well, 1 degraded or failed, 2 wrong usage or configuration, 3 no daemon answers.
.SH FILES
.TP
.I /etc/edgenode/edgenode.toml
the configuration of the node
.TP
.I /etc/edgenode/tls
its key and certificates
.TP
.I /var/lib/edgenode
the spool and all else that must survive a power cut
.TP
.I /run/edgenode/control.sock
where the verbs ask the daemon; root and the group edgenode may
.TP
.I /usr/local/lib/edgenode
libraries with drivers of your own
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1),
.I /usr/share/doc/edgenode/docs/cli.md
"""


def page(grammars: Iterable[Grammar], epoch: int) -> str:
    """Return the page in troff; `epoch` is its date in Unix seconds."""
    day = datetime.fromtimestamp(epoch, UTC).date().isoformat()
    lines = [f'.TH EDGENODE 1 "{day}" "edgenode {__version__}" "User Commands"', HEAD.rstrip()]
    lines.append(".SH VERBS")
    for grammar in grammars:
        lines += _verb(grammar)
    return "\n".join(lines) + "\n" + TAIL


def _verb(grammar: Grammar) -> Iterator[str]:
    words = " ".join(("edgenode", *grammar.path, *map(_place, grammar.places)))
    yield f".SS {_safe(words)}"
    yield _safe(grammar.does or VERBS[grammar.path[0]].does)
    for option in grammar.options:
        value = f" \\fI{_safe(_value(option.value))}\\fR" if option.value else ""
        names = ", ".join(f"\\fB{_safe(name)}\\fR" for name in option.names)
        yield f".TP\n{names}{value}\n{_safe(option.does) or _safe(_value(option.value))}"


def _place(argument: Argument) -> str:
    return argument.name or _value(argument)


def _value(argument: Argument | None) -> str:
    if argument is None:
        return ""
    return argument.name or "|".join(argument.words) or "VALUE"


def _safe(text: str) -> str:
    """Return text that troff takes as it is: groff_char(7) for `-`, and no line of control."""
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
