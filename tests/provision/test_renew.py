"""Enrolment and renewal: when, in which order, what a cut leaves, and under a running uplink."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edgenode.errors import CityError, EdgenodeError, NodeError
from edgenode.provision import est
from edgenode.provision.est import Server
from edgenode.provision.renew import attempt, attend, due, pauses, renewal
from edgenode.provision.store import Enrolment, Store, enrolment
from tests.support.est_server import EstServer
from tests.support.outbox import NODE as OUTBOX_NODE
from tests.support.pki import DAY, Ca, named
from tests.support.ports import free_port
from tests.support.powercut import Disk, restored
from tests.support.provisioned import TOKEN

NODE = OUTBOX_NODE.hex()
NOW = datetime.now(UTC)


def leaf(store: Store) -> x509.Certificate:
    return store.identity.chain()[0]


def fits(store: Store) -> bool:
    """Whether the pair in use is one."""
    key = load_pem_private_key(store.identity.files[1].read_bytes(), None)
    return bool(key.public_key() == leaf(store).public_key())


def aged(ca: Ca, begin: datetime, end: datetime) -> x509.Certificate:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return ca.issue(public, named(NODE), begin, end)


# --- when ----------------------------------------------------------------------------------------


def test_a_certificate_is_due_at_two_thirds_of_its_life_and_a_little_later(ca: Ca) -> None:
    one = aged(ca, NOW, NOW + 90 * DAY)
    moments = {renewal(one, f"{node:08x}") for node in range(200)}
    assert min(moments) >= one.not_valid_before_utc + 60 * DAY
    assert max(moments) <= one.not_valid_before_utc + 67.5 * DAY
    assert max(moments) - min(moments) > 6 * DAY  # a district does not come in one night
    assert renewal(one, NODE) == renewal(one, NODE)


@pytest.mark.parametrize(
    ("token", "days", "action"),
    [
        (TOKEN, None, "enrol"), (TOKEN, 90, "enrol"), (TOKEN, -1, "enrol"),
        ("", None, "nothing"), ("", 90, "renew"), ("", -1, "expired"),
    ],
)  # fmt: skip
def test_what_is_due(ca: Ca, token: str, days: int | None, action: str) -> None:
    known = Enrolment(node=NODE, est="https://est.example", token=token)
    one = None if days is None else aged(ca, NOW - 9 * DAY, NOW + days * DAY)
    assert due(known, one, NOW).action == action


def test_without_an_est_server_nothing_is_renewed(ca: Ca) -> None:
    assert due(None, aged(ca, NOW - 80 * DAY, NOW + 10 * DAY), NOW).action == "nothing"


def test_pauses_double_and_differ_between_nodes() -> None:
    one, other = pauses(NODE), pauses("ffffffff")
    found = [one(est.Unreachable("")) for _ in range(10)]
    assert 5 <= found[0] <= 10
    assert all(450 <= pause <= 900 for pause in found[-3:])
    assert found[:3] != [other(est.Unreachable("")) for _ in range(3)]
    assert 1_800 <= one(est.Refused("")) <= 3_600
    assert one(est.Pending("", 77)) == 77


def test_it_is_tried_until_it_works() -> None:
    outcomes: list[EdgenodeError | str] = [est.Unreachable("off"), est.Pending("wait", 77), "done"]
    waited: list[float] = []
    told: list[tuple[str, float | None]] = []

    def once() -> str:
        found = outcomes.pop(0)
        if isinstance(found, EdgenodeError):
            raise found
        return found

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return True

    assert attend(once, pauses(NODE), wait, lambda words, rest: told.append((words, rest)))
    assert waited[1] == 77
    assert [words for words, _ in told] == ["off", "wait", "done"]


@pytest.mark.parametrize("failure", [NodeError("over"), est.Unreachable("off")])
def test_who_is_stopped_or_cannot_succeed_stops(failure: EdgenodeError) -> None:
    def once() -> str:
        raise failure

    assert not attend(once, pauses(NODE), lambda _: False, lambda *_: None)


# --- what happens --------------------------------------------------------------------------------


def test_a_node_enrols_once_and_forgets_its_token(store: Store, server: EstServer) -> None:
    assert "valid until" in attempt(store, NOW)
    assert fits(store)
    assert TOKEN not in (store.etc / "enrol.json").read_text()
    assert "nothing to do" in attempt(store, NOW)
    assert server.log == [("cacerts", 200), ("simpleenroll", 200)]


def test_a_renewal_has_a_new_key_and_is_known_by_the_old_certificate(
    store: Store, server: EstServer
) -> None:
    server.rules.organisation, server.rules.san = "City of Seoul", True
    attempt(store, NOW)
    first = leaf(store)
    attempt(store, NOW + 75 * DAY)
    assert leaf(store).public_key() != first.public_key()
    assert leaf(store).subject == first.subject
    assert fits(store)
    assert server.log[-1] == ("simplereenroll", 200)


def test_the_pair_before_stays_until_the_next_and_older_ones_go(store: Store) -> None:
    attempt(store, NOW)
    for _ in range(3):
        attempt(store, NOW, early=True)
    names = sorted(path.name for path in (store.etc / "tls").iterdir())
    assert names == ["0003", "0004", "current", "node.key", "node.pem"]


def test_a_certificate_that_is_over_says_how_to_get_another(
    store: Store, server: EstServer
) -> None:
    attempt(store, NOW)
    with pytest.raises(NodeError, match=r"ended on .* edgenode certificate enrol --token-file"):
        attempt(store, NOW + 91 * DAY)


def test_a_certificate_that_came_and_is_not_right_leaves_the_old_one_in_use(
    store: Store, server: EstServer, ca: Ca
) -> None:
    attempt(store, NOW)
    before = leaf(store)
    server.rules.life = -timedelta(hours=12)  # over when it comes
    with pytest.raises(CityError):
        attempt(store, NOW, early=True)
    assert leaf(store) == before
    assert fits(store)


def test_the_token_is_kept_while_no_server_answers(store: Store) -> None:
    known = enrolment(store.etc)
    assert known is not None
    Enrolment(node=NODE, est=f"https://localhost:{free_port()}", token=TOKEN).save(store.etc, None)
    with pytest.raises(est.Unreachable):
        attempt(store, NOW)
    after = enrolment(store.etc)
    assert after is not None
    assert after.token == TOKEN


def test_a_token_that_is_refused_does_not_keep_a_node_from_renewing(
    store: Store, server: EstServer
) -> None:
    attempt(store, NOW)
    known = enrolment(store.etc)
    assert known is not None
    known.with_token("mistyped").save(store.etc, None)
    with pytest.raises(est.Refused):
        attempt(store, NOW)  # not due: the maintainer is told
    assert "new" in attempt(store, NOW + 75 * DAY)
    assert server.log[-1] == ("simplereenroll", 200)
    assert fits(store)


def test_a_full_disk_is_found_before_the_token_is_spent_and_tried_again(
    store: Store, server: EstServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return False

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        once = lambda: attempt(store, NOW)  # noqa: E731 - a try, as the verb makes it
        told: list[str] = []
        assert not attend(once, pauses(NODE), wait, lambda words, _: told.append(words))
    assert "No space left" in told[0]
    assert len(waited) == 1
    assert server.issued == []
    assert "valid until" in attempt(store, NOW)


def test_a_request_that_waits_for_approval_comes_again_as_it_was(
    store: Store, server: EstServer
) -> None:
    server.rules.approve_after = 1
    with pytest.raises(est.Pending):
        attempt(store, NOW)
    server.rules.clock = lambda: 1e12
    attempt(store, NOW)  # the server refuses another request
    assert fits(store)


@pytest.mark.parametrize("first", [True, False], ids=["enrolment", "renewal"])
def test_a_cut_at_any_call_costs_neither_the_token_nor_the_pair(
    store: Store, server: EstServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, first: bool
) -> None:
    """Whoever is cut off after the server has answered may ask once more with the same request."""
    if not first:
        attempt(store, NOW)
    asked = _kind(server, monkeypatch)
    disk = Disk(store.etc)
    with disk.watched():
        attempt(store, NOW, early=True)
    lefts = [*disk.flushed, *disk.all]
    assert len(lefts) > 20
    for number, left in enumerate(lefts):
        there = Store(restored(left, tmp_path / f"{number}"))
        assert first or fits(there), "a node that has a pair is never without one"
        came, before = any(there.etc.rglob("node.pem")), len(asked)
        attempt(there, NOW)
        assert not came or len(asked) == before, "a token is not spent twice"
        assert fits(there)
        known = enrolment(there.etc)
        assert known is not None
        assert known.token == ""


def _kind(server: EstServer, patch: pytest.MonkeyPatch) -> list[bytes]:
    """Let the server answer a request that it has granted once more; return what it is asked.

    Who brings another one was cut off before it asked, and has not spent its token.
    """
    granted: dict[bytes, Any] = {}
    asked: list[bytes] = []
    found = est.cacerts(Server(server.url, server.ca.trust))

    def kind(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(at: Any, request: bytes, proof: Any) -> Any:
            asked.append(request)
            if request not in granted:
                server.spent.clear()
                granted[request] = real(at, request, proof)
            return granted[request]

        return call

    patch.setattr(est, "cacerts", lambda _: list(found))
    for name in ("simpleenroll", "simplereenroll"):
        patch.setattr(est, name, kind(getattr(est, name)))
    return asked
