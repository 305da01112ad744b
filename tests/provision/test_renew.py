"""Enrolment and renewal: when, in which order, what a cut leaves, and under a running uplink."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from edgenode.cli import main
from edgenode.errors import CityError, EdgenodeError, NodeError
from edgenode.provision import est
from edgenode.provision.enrolment import Enrolment, enrolment
from edgenode.provision.est import Server
from edgenode.provision.renew import Store, attempt, attend, due, pauses, renewal
from edgenode.uplink import Broker
from edgenode.uplink import replaced as replaced_room
from tests.support.city import City
from tests.support.est_server import EstServer, Rules
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import NODE as OUTBOX_NODE
from tests.support.pki import DAY, Ca, named
from tests.support.ports import free_port, until
from tests.support.powercut import Disk, restored, unflushed
from tests.uplink.rig import Node

NODE = OUTBOX_NODE.hex()
TOKEN = "only-once"  # noqa: S105 - of this test
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    unflushed(monkeypatch)


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


@pytest.fixture
def server(tmp_path: Path, ca: Ca) -> Iterator[EstServer]:
    with EstServer(tmp_path / "est", ca, Rules({NODE: TOKEN})) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path, server: EstServer) -> Store:
    """A node that was provisioned and has not enrolled yet."""
    made = Store(tmp_path / "etc")
    made.etc.mkdir()
    known = Enrolment(node=NODE, est=server.url, trust=server.ca.trust, token=TOKEN)
    known.save(made.etc, None)
    return made


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


# --- the verb ------------------------------------------------------------------------------------


def verb(store: Store, *words: str) -> int:
    return main(["certificate", "--etc", str(store.etc), *words])


def test_the_verb_tells_what_there_is(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb(store) == 1
    told = capsys.readouterr().out
    assert "no certificate yet" in told
    assert "enrolment with the one-time token" in told
    assert verb(store, "renew") == 0
    capsys.readouterr()
    assert verb(store) == 0
    told = capsys.readouterr().out
    assert f"subject   CN={NODE}" in told
    assert "issuer    CN=City PKI issuing" in told
    assert "edgenode-renew.timer renews it" in told
    assert verb(store, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["next"] == "renew"
    assert found["left_s"] > 80 * 86_400
    assert TOKEN not in json.dumps(found)


def test_the_way_back_is_a_new_token(
    store: Store, server: EstServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.rules.begin = -100 * DAY  # of a certificate that is over
    key = store.identity
    store.settled()
    old = server.ca.issue(key.next_key().public_key(), named(NODE), NOW - 100 * DAY, NOW - DAY)
    key.bring([old, server.ca.certificate])
    known = enrolment(store.etc)
    assert known is not None
    store.settled()
    assert verb(store) == 1
    assert "ENDED" in capsys.readouterr().out
    assert verb(store, "renew") == 1
    assert "enrol --token-file" in capsys.readouterr().err
    server.rules.begin = -DAY
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert verb(store, "enrol", "--token-file", str(file)) == 0
    assert not file.exists()
    assert verb(store) == 0


def test_a_token_file_without_a_token_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    assert verb(store, "enrol", "--token-file", str(tmp_path / "empty")) == 1
    assert verb(store, "enrol", "--token-file", str(tmp_path / "none")) == 1


# --- under a running uplink ----------------------------------------------------------------------


def test_a_renewal_is_used_by_a_running_uplink_without_a_restart(
    store: Store, server: EstServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mosquitto wants certificates of the city's PKI, and knows nodes by their names."""
    monkeypatch.setattr(replaced_room, "LOOK_MS", 50)
    attempt(store, NOW)
    ca = tmp_path / "root.pem"
    ca.write_text(server.ca.trust)
    inside = free_port()
    own = tmp_path / "est/est-server.pem"
    broker = Mosquitto(
        tmp_path / "broker",
        [
            f"cafile {ca}", f"certfile {own}", f"keyfile {own}", "require_certificate true",
            "use_identity_as_username true", f"listener {inside} 127.0.0.1",
        ],
    )  # fmt: skip
    broker.inside = inside
    certificate, key = store.identity.files
    mutual = Broker("localhost", broker.port, ca=ca, cert=certificate, key=key)
    with broker, City(inside), Node([mutual]) as node:
        node.box.seal(3)
        node.delivered()
        first = leaf(store)
        assert node.uplink.stats().connections == 1
        attempt(store, NOW, early=True)
        until(lambda: node.uplink.stats().connections == 2, "a session under the new certificate")
        node.box.seal(3)
        node.delivered()
        assert leaf(store).public_bytes(Encoding.DER) != first.public_bytes(Encoding.DER)
        assert node.uplink.stats().last_error == ""
        assert broker.log.read_text().count(f"u'{NODE}'") == 2
