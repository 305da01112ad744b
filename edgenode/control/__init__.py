"""The Unix socket that the command line talks to: one JSON line asked, one JSON line answered.

docs/cli.md describes every request and every answer.
"""

from edgenode.control.client import NoDaemon, ask
from edgenode.control.requests import REQUESTS, BadRequest, Refused, Verb, unknown, verbs_of
from edgenode.control.server import CLIENT_S, SLOW_S, Control

__all__ = [
    "CLIENT_S",
    "REQUESTS",
    "SLOW_S",
    "BadRequest",
    "Control",
    "NoDaemon",
    "Refused",
    "Verb",
    "ask",
    "unknown",
    "verbs_of",
]
