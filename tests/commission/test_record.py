"""The record of a commissioning: bounded, canonical, and signed so that others can verify it."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import rfc8785

from edgenode.commission import record, signature
from edgenode.commission.checks import judged
from edgenode.commission.finding import Finding
from edgenode.errors import NodeError
from edgenode.node import commissioned
from edgenode.wire.limits import MAX_COMMISSION
from tests.commission.cases import NODE, WELL, with_air
from tests.support.certificates import Authority, Pair

LONG = Finding("k" * 300, "what is amiss " * 40, "why", "do", "edgenode status")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue(NODE)


def written(path: Path) -> Path:
    """Return what is signed, by somebody else's reading of RFC 8785."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    whole.pop("signature")
    bare = path.with_name("bare")
    bare.write_bytes(rfc8785.dumps(whole))
    return bare


def test_openssl_verifies_the_signature_and_refuses_a_changed_record(
    tmp_path: Path, pair: Pair
) -> None:
    made = signature.signed(record.made(WELL, []), pair.key)
    path = record.stored(made, tmp_path)
    text = made["signature"]["value"]
    value, public = tmp_path / "value", tmp_path / "public.pem"
    value.write_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    words = ["openssl", "pkey", "-in", str(pair.key), "-pubout", "-out", str(public)]
    subprocess.run(words, check=True)
    bare = written(path)
    verify = ["openssl", "dgst", "-sha256", "-verify", str(public), "-signature", str(value)]
    assert subprocess.run([*verify, str(bare)], capture_output=True, check=False).returncode == 0
    bare.write_bytes(bare.read_bytes().replace(b"PASS", b"FIX!"))
    assert subprocess.run([*verify, str(bare)], capture_output=True, check=False).returncode != 0


def test_what_is_stored_is_canonical_and_small_and_belongs_to_the_owner(
    tmp_path: Path, pair: Pair
) -> None:
    made = signature.signed(record.made(WELL, []), pair.key)
    path = record.stored(made, tmp_path)
    assert path.read_bytes() == rfc8785.dumps(made)
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.stat().st_uid == tmp_path.stat().st_uid
    assert [one.name for one in tmp_path.iterdir()] == ["commission.json"]
    assert commissioned.record(tmp_path, NODE) == path.read_text(encoding="utf-8")


def test_a_record_says_what_was_measured_and_found() -> None:
    evidence = with_air(state="lost", reason="no-answer")
    made = record.made(evidence, judged(evidence))
    assert (made["node"], made["verdict"], made["version"]) == (NODE, "FIX", 1)
    assert made["sensors"] == {"configured": 2, "answering": 2}
    assert made["plan"] == {"serial": 7, "sensors": 2}
    assert made["delivery"] == {"to": "city", "arrived": True, "took_ms": 2500}
    assert made["links"][0]["ack_ms_median"] == 60
    assert made["card"]["flush_ms_most"] == 40
    assert made["answers"] == {"installer": "B-17", "mounting": "photo 12", "lamp": "yes"}
    assert [row["key"] for row in made["findings"]] == ["sensor air"]


@pytest.mark.parametrize("count", [0, 5, 1000])
def test_however_much_is_amiss_the_record_fits_and_counts_the_rest(pair: Pair, count: int) -> None:
    made = signature.signed(record.made(WELL, [LONG] * count), pair.key)
    assert len(record.canonical(made)) <= MAX_COMMISSION
    assert len(made["findings"]) + made["more_findings"] == count
    assert bool(made["findings"]) is bool(count)


def test_answers_of_the_greatest_length_in_any_script_fit(pair: Pair) -> None:
    answers = WELL.answers
    assert answers
    long = answers._replace(installer="글" * 80, mounting="글" * 80)
    made = signature.signed(record.made(replace(WELL, answers=long), [LONG]), pair.key)
    assert len(record.canonical(made)) <= MAX_COMMISSION


def doubt_of(made: record.Record, certificate: Path) -> str:
    return signature.doubt(record.canonical(made).decode(), certificate.read_bytes())


def test_the_certificate_of_the_node_proves_the_record(pair: Pair) -> None:
    made = signature.signed(record.made(WELL, []), pair.key)
    assert doubt_of(made, pair.certificate) == ""


def test_what_is_not_proved_is_told_with_the_reason(authority: Authority, pair: Pair) -> None:
    made = signature.signed(record.made(WELL, []), pair.key)
    assert "changed" in doubt_of(made | {"verdict": "FIX"}, pair.certificate)
    broken = made["signature"] | {"value": "!!!"}
    assert "does not fit" in doubt_of(made | {"signature": broken}, pair.certificate)
    endless = json.dumps(made | {"sensors": 1e308}).replace("1e+308", "1e999")
    assert "does not fit" in signature.doubt(endless, pair.certificate.read_bytes())
    other = made["signature"] | {"algorithm": "none"}
    assert "'none'" in doubt_of(made | {"signature": other}, pair.certificate)
    assert doubt_of(record.made(WELL, []), pair.certificate) == "it is not signed"
    assert "ffffffff" in doubt_of(made, authority.issue("ffffffff").certificate)
    assert "another key" in doubt_of(made, authority.issue(NODE).certificate)
    with pytest.raises(NodeError, match="--cert"):
        signature.doubt("{}", b"no certificate")


def test_a_key_that_cannot_sign_is_named_and_why(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    with pytest.raises(NodeError, match=r"node\.key: No such file"):
        signature.signed({}, path)
    path.write_text("no key")
    with pytest.raises(NodeError, match="no private key in PEM"):
        signature.signed({}, path)
    words = ["openssl", "genpkey", "-algorithm", "ED25519", "-out", str(path)]
    subprocess.run(words, check=True)
    with pytest.raises(NodeError, match="no key over the curve P-256"):
        signature.signed({}, path)


def test_a_state_directory_that_takes_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="run this with sudo"):
        record.stored({"node": NODE}, tmp_path / "missing")


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", '{"node": "ffffffff"}', json.dumps({"node": NODE, "x": "x" * 5000})],
    ids=["empty", "no JSON", "a list", "of another node", "too long"],
)  # fmt: skip
def test_what_is_no_record_of_this_node_is_not_published(tmp_path: Path, text: str) -> None:
    (tmp_path / "commission.json").write_text(text)
    assert commissioned.record(tmp_path, NODE) == ""


def test_a_node_that_nobody_commissioned_publishes_no_record(tmp_path: Path) -> None:
    assert commissioned.record(tmp_path, NODE) == ""
