"""When a certificate is due, and getting the next one: by the token, or by the present one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from edgenode.errors import CityError, NodeError
from edgenode.provision import certificates, est
from edgenode.provision.store import Enrolment, Store

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

AT: Final = 2 / 3  # of its life a certificate is renewed
SPREAD: Final = 1 / 12  # of its life, so that a district does not come in one night
FIRST_S: Final = 10  # the pause after the first failure; it doubles
MOST_S: Final = 900
REFUSED_S: Final = 3_600  # after a no, that of a server which may have had a bad hour
REFUSED_MOST_S: Final = 21_600
Action = Literal["enrol", "renew", "expired", "nothing"]


class Due(NamedTuple):
    """What is to be done, and from when on; None where nothing ever comes due by itself."""

    action: Action
    at: datetime | None


def due(known: Enrolment | None, leaf: Certificate | None, now: datetime) -> Due:
    """Return what a node with this certificate has to do at `now` (aware, UTC).

    A token that is not spent comes first: it was given in order to be used.
    """
    if known is not None and known.token:
        return Due("enrol", now)
    if leaf is None:
        return Due("nothing", None)
    if leaf.not_valid_after_utc <= now:
        return Due("expired", leaf.not_valid_after_utc)
    return Due("nothing", None) if known is None else Due("renew", renewal(leaf, known.node))


def renewal(leaf: Certificate, node: str) -> datetime:
    """Return when a certificate is renewed: at 2/3 of its life and up to 1/12 later, by node."""
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    share = AT + SPREAD * _chance(node).random()
    return leaf.not_valid_before_utc + timedelta(seconds=life.total_seconds() * share)


def attempt(store: Store, now: datetime, *, early: bool = False) -> str:
    """Do what is due, once; with `early` renew also before that. Return what was done, in words.

    A certificate is used, and a token forgotten, only when the new pair is durable. Raises
    CityError (see est.py) and NodeError; nothing has changed then but the key for the next try.
    """
    known = store.settled()
    chain = store.identity.chain()
    leaf = chain[0] if chain else None
    action, at = due(known, leaf, now)
    if action == "expired":
        raise NodeError(f"the certificate of this node ended on {at:%Y-%m-%d}; {est.ANEW}")
    if action == "nothing" or known is None:
        return _nothing(known, leaf)
    if action == "renew" and at is not None and now < at and not early:
        return f"the certificate is renewed from {at:%Y-%m-%d} on; nothing to do"
    made = _next(store, known, leaf, now)
    store.identity.bring(made)
    store.settled()
    return f"the certificate is new, and valid until {made[0].not_valid_after_utc:%Y-%m-%d}"


def _next(
    store: Store, known: Enrolment, leaf: Certificate | None, now: datetime
) -> list[Certificate]:
    """Return the next certificate: by the token if there is one, else by the present one.

    A token that is refused, mistyped or spent, keeps nobody from renewing when that is due.
    """
    if not known.token:
        return _asked(store, known, leaf, now)
    try:
        return _asked(store, known, None, now)
    except est.Refused:
        action, at = due(known.with_token(""), leaf, now)
        if action != "renew" or at is None or now < at:
            raise
        return _asked(store, known, leaf, now)


def _nothing(known: Enrolment | None, leaf: Certificate | None) -> str:
    if leaf is None:
        return "there is no certificate, and nothing to get one with"
    if known is None:
        end = leaf.not_valid_after_utc
        return (
            f"valid until {end:%Y-%m-%d}; the next comes with a node.json, there is no EST server"
        )
    return "nothing to do"


def _asked(
    store: Store, known: Enrolment, present: Certificate | None, now: datetime
) -> list[Certificate]:
    """Return the next certificate and its chain, found fit; raises CityError, NodeError."""
    identity = store.identity
    key = identity.next_key()
    request = identity.next_request(certificates.request(key, known.node, present))
    identity.reserve()
    anchors = certificates.certificates(known.trust) if known.trust else []
    anchors += est.cacerts(known.server)  # before the token is spent: there is time to fail
    if present is None:
        token = est.Token(known.node, known.token)
        found = est.simpleenroll(known.server, request, token)
    else:
        found = est.simplereenroll(known.server, request, est.Pair(*identity.files))
    return certificates.accepted(found, key, known.node, anchors, now)


def pauses(node: str) -> Callable[[Exception], float]:
    """Return a function from a failure to the seconds until the next try, with jitter by node."""
    chance, usual, refused = (
        _chance(node),
        _doubling(FIRST_S, MOST_S),
        _doubling(REFUSED_S, REFUSED_MOST_S),
    )

    def pause(failure: Exception) -> float:
        if isinstance(failure, est.Pending):
            return float(failure.wait_s)  # §4.2.3: not sooner, and then the same request
        ceiling = next(refused if isinstance(failure, est.Refused) else usual)
        return ceiling * chance.uniform(0.5, 1.0)

    return pause


def attend(
    once: Callable[[], str],
    pause: Callable[[Exception], float],
    wait: Callable[[float], bool],
    tell: Callable[[str, float | None], None],
) -> bool:
    """Try until it works; False where that is hopeless, or `wait` says that it is stopped.

    `wait` sleeps that many seconds and returns whether to go on; `tell` is given what came of
    each try, and the seconds until the next.
    """
    while True:
        try:
            tell(once(), None)
        except (CityError, OSError) as exc:  # a server, or a disk that is full for a while
            rest = pause(exc)
            tell(str(exc), rest)
            if not wait(rest):
                return False
        except NodeError as exc:
            tell(str(exc), None)
            return False
        else:
            return True


def now_utc() -> datetime:
    """Return the wall clock, aware."""
    return datetime.now(UTC)


def _doubling(first: int, most: int) -> Iterator[int]:
    while True:
        yield first
        first = min(2 * first, most)


def _chance(node: str) -> Random:
    """Return the node's own chance: the same for one node, different between nodes."""
    return Random(hashlib.sha256(node.encode()).digest())  # noqa: S311 - spreads load alone
