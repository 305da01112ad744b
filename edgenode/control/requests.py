"""What may be asked on the socket: each verb, its arguments, and who may ask it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from edgenode.errors import NodeError, nearest

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Refused(NodeError):
    """The daemon answers, but not with what was asked; `kind` is that of docs/cli.md."""

    kind: ClassVar[str] = "failed"


class BadRequest(Refused):
    """The request cannot be meant: no such verb, sensor or channel, or a wrong argument."""

    kind: ClassVar[str] = "usage"


class Denied(Refused):
    """Who asks may read, but not change."""

    kind: ClassVar[str] = "denied"


class Busy(Refused):
    """As many slow verbs as may be are being served."""

    kind: ClassVar[str] = "busy"


REFUSALS: Mapping[str, type[Refused]] = {
    kind.kind: kind for kind in (Refused, BadRequest, Denied, Busy)
}


class Whole(NamedTuple):
    """An argument that is a whole number from `least` to `most`."""

    least: int
    most: int
    required: bool = True

    def fits(self, value: object) -> bool:
        return type(value) is int and self.least <= value <= self.most

    def __str__(self) -> str:
        return f"a whole number, {self.least} to {self.most}"


class Text(NamedTuple):
    """An argument that is text of 1 to `longest` characters, all printable."""

    longest: int
    required: bool = True

    def fits(self, value: object) -> bool:
        return isinstance(value, str) and 1 <= len(value) <= self.longest and value.isprintable()

    def __str__(self) -> str:
        return f"text of 1 to {self.longest} printable characters"


class Request(NamedTuple):
    """What a verb takes, and how it is served."""

    takes: Mapping[str, Whole | Text] = {}
    changes: bool = False  # the node: for root and the daemon's own user only
    slow: bool = False  # may take up to SLOW_S, on a thread of its own


LISTED = 20  # names of what there is, where none is near
UTC_MOST = 253_402_300_799_000  # the end of the year 9999, POSIX ms

REQUESTS: Mapping[str, Request] = {
    "status": Request(),
    "sensors": Request(),
    "metrics": Request(),
    "disclose": Request(),
    "read": Request({"sensor": Text(64)}, slow=True),
    "why": Request({"channel": Text(129)}),
    "history": Request(
        {
            "since_utc_ms": Whole(0, UTC_MOST, required=False),
            "limit": Whole(1, 1000, required=False),
        }
    ),
    "maintenance": Request(
        {"minutes": Whole(0, 1440), "why": Text(80, required=False)}, changes=True
    ),
    "reload": Request(changes=True, slow=True),
    "mark": Request(changes=True),
    "custody": Request({"stream": Whole(0, 15), "seq": Whole(1, 2**53 - 1)}),
}


class Verb(NamedTuple):
    """A verb as it is served. `answer` gets the arguments, each of them checked.

    An answer raises BadRequest for what is not there, any other NodeError for what failed.
    """

    answer: Answer
    request: Request


def verbs_of(answers: Mapping[str, Answer]) -> dict[str, Verb]:
    """Return the verbs of the table REQUESTS that `answers` has; raises KeyError for another."""
    return {name: Verb(answer, REQUESTS[name]) for name, answer in answers.items()}


def parsed(line: bytes, verbs: Mapping[str, Verb]) -> tuple[Verb, dict[str, Any]]:
    """Return the verb asked for and its arguments; raises BadRequest."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        raise BadRequest('not a JSON object; ask {"verb": "status"}')
    name = request.pop("verb", None)
    verb = verbs.get(name) if isinstance(name, str) else None
    if verb is None:
        raise BadRequest(f"no such verb; known: {', '.join(verbs)}")
    takes = verb.request.takes
    for key, value in request.items():
        if key not in takes:
            known = ", ".join(takes) or "none"
            raise BadRequest(f"{name} has no argument {key[:64]!r}; it takes: {known}")
        if not takes[key].fits(value):
            raise BadRequest(f"{name}: {key} must be {takes[key]}")
    for key, argument in takes.items():
        if argument.required and key not in request:
            raise BadRequest(f"{name} wants {key}: {argument}")
    return verb, request


def unknown(what: str, name: str, known: Iterable[str]) -> BadRequest:
    """Return the error for a `what` ("sensor") that is not there, with "did you mean"."""
    names = sorted(known)
    below = [one for one in names if one.startswith(f"{name}/")]  # a sensor, not its channel
    near = nearest(name, names)
    if near and not below:
        return BadRequest(f"no {what} {name!r}; did you mean {near!r}?")
    return BadRequest(f"no {what} {name!r}; known: {_listed(below or names)}")


def _listed(names: list[str]) -> str:
    more = f", and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return (", ".join(names[:LISTED]) or "none") + more
