"""Somebody else's canonical form and Ed25519 agree with ours: node.js."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from edgenode.provision.canonical import canonical
from edgenode.provision.document import sign, signed_bytes, verify
from tests.support.nodejson import CITY, city, whole

SCRIPT = Path(__file__).parents[1] / "support" / "jcs.mjs"
DOCUMENTS = 300
SEED = 8785
SIGNS = 'aé"\\/\b\f\n\r\t\x00\x1f\x7f\u0080\u2028\ufb33거리의 공기\U0001f600'


def asked(requests: list[dict[str, str]]) -> list[dict[str, Any]]:
    """What node.js answers."""
    assert shutil.which("node"), "node is missing: apt install nodejs"
    pem = CITY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(
        ["node", str(SCRIPT), pem], input=lines.encode(), capture_output=True, check=True
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(requests)
    return answers


def documents() -> list[dict[str, Any]]:
    """Documents with values of every kind, texts in Korean and hard numbers among them."""
    chance = random.Random(SEED)
    return [
        whole() | {"serial": n + 1, "site": _value(chance, 3), "more": _value(chance, 3)}
        for n in range(DOCUMENTS)
    ]


def _value(chance: random.Random, deep: int) -> Any:
    kinds: list[Callable[[random.Random], Any]]
    kinds = [_text, _number, _whole_number, lambda one: one.random() < 0.5]
    if deep and chance.random() < 0.7:
        count = chance.randrange(5)
        if chance.random() < 0.5:
            return [_value(chance, deep - 1) for _ in range(count)]
        return {_text(chance): _value(chance, deep - 1) for _ in range(count)}
    return chance.choice(kinds)(chance)


def _text(chance: random.Random) -> str:
    return "".join(chance.choice(SIGNS) for _ in range(chance.randrange(8)))


def _number(chance: random.Random) -> float:
    scale: float = 10.0 ** chance.randrange(-30, 30)
    return round(chance.uniform(-180, 180), 7) if chance.random() < 0.3 else chance.random() * scale


def _whole_number(chance: random.Random) -> int:
    return chance.randrange(-(2**53) + 1, 2**53)


def test_the_canonical_form_and_the_signature_are_those_of_node_js() -> None:
    made = documents()
    answers = asked([{"sign": json.dumps(document)} for document in made])
    for document, answer in zip(made, answers, strict=True):
        assert answer["canonical"].encode() == canonical(document)
        ours = sign(document, CITY)["signature"]
        assert (answer["value"], answer["key"]) == (ours["value"], ours["key"])


def test_what_node_js_has_signed_is_good_here() -> None:
    made = documents()
    answers = asked([{"sign": json.dumps(document)} for document in made])
    for document, answer in zip(made, answers, strict=True):
        row = {"algorithm": "Ed25519", "key": answer["key"], "value": answer["value"]}
        assert verify(document | {"signature": row}, [city()]) == city()


def test_what_was_signed_here_is_good_there_and_nothing_else() -> None:
    requests, expected = [], []
    for document in documents():
        signed = sign(document, CITY)
        value = signed["signature"]["value"]
        for one in (signed, signed | {"serial": 0}):
            requests.append({"verify": json.dumps(one, ensure_ascii=False), "value": value})
            expected.append(signed_bytes(one) == signed_bytes(signed))
    assert [answer["good"] for answer in asked(requests)] == expected
    assert expected.count(False) == DOCUMENTS
