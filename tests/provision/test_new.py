"""`edgenode provision`: a key, a document, and what is said of one."""

from __future__ import annotations

import getpass
import json
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgenode.cli import main
from edgenode.provision.canonical import pretty
from edgenode.provision.document import read, sign, without_secrets
from edgenode.provision.keys import private_from, trusted
from edgenode.provision.tables import Document
from tests.support.certificates import Authority
from tests.support.nodejson import CITY, SECRETS, SSH_KEY, TEMPLATE, city, text, whole

Told = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to work in, with the city's key and files for secrets."""
    monkeypatch.chdir(tmp_path)
    assert main(["provision", "key", "city.key"]) == 0
    (tmp_path / "token").write_text("one-time-token\n")
    (tmp_path / "psk").write_text("right horse battery\n")
    (tmp_path / "me.pub").write_text(f"{SSH_KEY}\n")
    return tmp_path


def new(*words: str, template: Path = TEMPLATE) -> int:
    return main(["provision", "new", "--key", "city.key", "--template", str(template), *words])


def made(path: Path = Path("node.json")) -> Document:
    return read(path.read_bytes(), trusted(Path("city.key.pub")))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_a_pair_of_pem_files_that_openssl_reads(here: Path) -> None:
    assert (mode(here / "city.key"), mode(here / "city.key.pub")) == (0o600, 0o644)
    done = subprocess.run(
        ["openssl", "pkey", "-in", "city.key", "-pubout"], check=True, capture_output=True
    )
    assert done.stdout == (here / "city.key.pub").read_bytes()


def test_a_key_is_never_overwritten(here: Path, capsys: Told) -> None:
    before = (here / "city.key").read_bytes()
    assert main(["provision", "key", "city.key"]) == 2
    (here / "other.pub").write_text("")
    assert main(["provision", "key", "other"]) == 2
    assert "no key is overwritten" in capsys.readouterr().err
    assert (here / "city.key").read_bytes() == before
    assert not (here / "other").exists()


def test_a_key_with_a_passphrase_signs_only_with_it(here: Path, capsys: Told) -> None:
    (here / "pass").write_text("open sesame\n")
    (here / "wrong").write_text("open barley\n")
    assert main(["provision", "key", "shut.key", "--passphrase-file", "pass"]) == 0
    assert b"ENCRYPTED" in (here / "shut.key").read_bytes()
    words = ["--lat", "37.5", "--lon", "127", "--key", "shut.key", "--passphrase-file"]
    assert new(*words[:-1]) == 2
    assert "shut.key: it has a passphrase" in capsys.readouterr().err
    assert new(*words, "wrong") == 2
    assert "the passphrase does not open it" in capsys.readouterr().err
    assert not (here / "node.json").exists()
    assert new(*words, "pass") == 0
    assert new("--key", "city.key", "--passphrase-file", "pass", "--out", "b.json") == 2
    assert "it has no passphrase" in capsys.readouterr().err


def test_a_typed_passphrase_must_be_typed_twice_alike(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    typed = iter(["one", "two", "same", "same"])
    monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))
    assert main(["provision", "key", "typed.key", "--passphrase"]) == 2
    assert "nothing done" in capsys.readouterr().err
    assert not (here / "typed.key").exists()
    assert main(["provision", "key", "typed.key", "--passphrase"]) == 0
    assert private_from(here / "typed.key", b"same")


def test_a_template_and_options_become_a_signed_document(here: Path, capsys: Told) -> None:
    words = ["--name", "시청 앞", "--lat=37.56", "--lon", "126.9", "--address", "10.0.0.5/24"]
    words += ["--gateway", "10.0.0.1", "--dns", "10.0.0.1 10.0.0.2", "--ssid", "시청"]
    words += ["--psk-file", "psk", "--est", "https://est.example", "--token-file", "token"]
    words += ["--broker", "a.example:8884", "--broker", "fd00::1", "--ssh-key", "me.pub"]
    words += ["--set", "sensors.square.serial=7", "--set", "sensors.shade.address=0x45"]
    words += ["--set", "recovery.reboot=false", "--set", "network.ntp=a.example b.example"]
    words += ["--set", "site.ko="]  # an empty text says nothing
    template = here / "t.toml"
    texts = TEMPLATE.read_text(encoding="utf-8")
    template.write_text(
        texts.replace("Sejong-daero, at the corner of Cheonggyecheon-ro", "시청 앞")
    )
    assert new(*words, template=template) == 0
    document = made()
    assert mode(here / "node.json") == 0o600
    assert document.site.name == "시청 앞"
    assert document.site.latitude == 37.56
    assert document.network.ethernet.dns == ("10.0.0.1", "10.0.0.2")
    assert document.network.wifi[0].psk == "right horse battery"
    assert document.enrol is not None
    assert document.enrol.token == (here / "token").read_text().strip()
    assert [(row.host, row.port) for row in document.brokers] == [
        ("a.example", 8884),
        ("fd00::1", 0),
    ]
    rows = {row["name"]: row for row in document.sensors}
    assert (rows["square"]["serial"], rows["shade"]["address"]) == ("7", 0x45)
    assert document.recovery.reboot is False
    assert document.network.ntp == ("a.example", "b.example")
    assert document.ssh_keys == (SSH_KEY,)
    told = capsys.readouterr()
    assert not any(secret in told.out + told.err for secret in SECRETS)


def test_an_id_is_random_and_never_that_of_a_template(here: Path) -> None:
    assert new("--out", "a.json") == new("--out", "b.json") == 0
    ids = {made(Path(name)).node.id for name in ("a.json", "b.json")}
    theirs = tomllib.loads(TEMPLATE.read_text(encoding="utf-8"))["node"]["id"]
    assert len(ids | {theirs}) == 3
    assert all(len(one) == 16 for one in ids)
    assert new("--id", "feedfeed", "--out", "c.json") == 0
    assert made(here / "c.json").node.id == "feedfeed"


def test_an_issued_document_is_issued_again_for_its_node_with_the_next_serial(here: Path) -> None:
    assert new("--serial", "41") == 0
    assert new("--purpose", "another", "--out", "next.json", template=here / "node.json") == 2
    again = ["--set", "spool.cap_mb=64", "--out", "next.json"]
    assert new(*again, template=here / "node.json") == 0
    before, after = made(), made(Path("next.json"))
    assert (after.node, after.serial, after.spool.cap_mb) == (before.node, 42, 64)


def test_a_document_in_toml_is_a_template_too(here: Path) -> None:
    (here / "t.toml").write_text(
        'ssh_keys = ["' + SSH_KEY + '"]\n[[brokers]]\nhost = "a"\n[network.apn]\nname = "iot"\n'
    )
    assert new(template=here / "t.toml") == 0
    document = made()
    assert document.network.apn is not None
    assert (document.brokers[0].host, document.serial) == ("a", 1)


def test_without_a_template_options_are_enough(here: Path) -> None:
    words = ["provision", "new", "--key", "city.key", "--broker", "mqtt.example"]
    assert main(words) == 0
    assert made().brokers[0].host == "mqtt.example"
    assert (here / "node.json").exists()


def test_certificates_come_from_files(here: Path) -> None:
    authority = Authority(here / "ca")
    pair = authority.issue("feedfeed")
    words = ["--id", "feedfeed", "--trust", str(authority.certificate)]
    words += ["--certificate", str(pair.certificate), "--node-key", str(pair.key)]
    assert new(*words) == 0
    document = made()
    assert document.trust == authority.certificate.read_text()
    assert document.enrol is not None
    assert document.enrol.key == pair.key.read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--lat", "137", "--lon", "1"], "site.latitude: expected degrees, -90 to 90, found 137"),
        (["--lat", "north", "--lon", "1"], "site.latitude: expected degrees, -90 to 90, found 'no"),
        (["--lat", "37"], "latitude and longitude: give both or none"),
        (["--id", "x"], "node.id: expected 4 to 16 bytes"),
        (["--set", "site.nam=x"], "site.nam: nothing in a document is called so"),
        (["--set", "node.id=feedfeed"], "node.id: nothing in a document is called so"),
        (["--set", "sensors.squar.serial=x"], "the template has no 'squar' in sensors"),
        (["--set", "site"], "--set site: write PLACE=VALUE"),
        (["--set", "site=x"], "site: nothing in a document is called so"),
        (["--serial", "0"], "serial: expected a whole number from 1, found 0"),
        (["--token-file", "none"], "none: cannot be read: No such file"),
        (["--token-file", "city.key"], "city.key: must hold one line"),
        (["--est", "http://e"], "enrol.est: expected https://HOST:PORT"),
        (["--trust", "city.key.pub"], "trust: expected certificates in PEM"),
        (["--key", "city.key.pub"], "city.key.pub: no private key in PEM"),
        (["--template", "none.json"], "none.json: cannot be read"),
        (["--template", "psk"], "psk: line 1, column 1: not JSON"),
        (["--template", "bad.toml"], "bad.toml: not valid TOML"),
        (["--template", "date.toml"], "site.name: expected text in quotes, up to 1000"),
        (["--out", "city.key"], "city.key: cannot be written: File exists"),
        (["--out", "none/node.json"], "none/node.json: cannot be written: No such file"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(
    here: Path, capsys: Told, words: list[str], sentence: str
) -> None:
    (here / "bad.toml").write_text("= 1")
    (here / "date.toml").write_text('[[brokers]]\nhost = "a"\n[site]\nname = 2026-01-01\n')
    key = (here / "city.key").read_bytes()
    assert new(*words) == 2
    assert sentence in capsys.readouterr().err
    assert not (here / "node.json").exists()
    assert (here / "city.key").read_bytes() == key


@pytest.fixture
def issued(here: Path) -> Path:
    """A document of the city of the other tests, and its key."""
    pem = CITY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (here / "signed.pub").write_bytes(pem)
    (here / "n.json").write_bytes(pretty(sign(whole(), CITY)))
    return here / "n.json"


def test_check_says_who_signed_and_what_the_node_will_be(issued: Path, capsys: Told) -> None:
    assert main(["provision", "check", str(issued), "--trust", "signed.pub"]) == 0
    told = capsys.readouterr().out
    assert f"no mistakes, signed by key {city().id}, which is trusted" in told
    for words in ("0a1b2c3d4e5f6071", "serial 7", "10.0.0.5/24 by 10.0.0.1", "시청, with a pass"):
        assert words in told
    assert "square: bme280 on i2c1 at 118 (0x76), each 10 s: air of the street" in told
    assert "note: trust: is empty" in told
    assert "note: clock.manual_err_ms: the node vouches for its clock" in told
    assert not any(secret in told for secret in SECRETS)


def test_check_without_trust_says_that_nobody_looked_whose_signature_it_is(
    issued: Path, capsys: Told
) -> None:
    assert main(["provision", "check", str(issued)]) == 0
    assert "say by --trust whose that must be" in capsys.readouterr().out


@pytest.mark.parametrize("trust", ["city.key.pub", "empty"])
def test_check_refuses_whom_nobody_trusts(issued: Path, capsys: Told, trust: str) -> None:
    (issued.parent / "empty").mkdir()
    assert main(["provision", "check", str(issued), "--trust", trust]) == 2
    assert f"{issued}: signature: made by key {city().id}; " in capsys.readouterr().err


def test_check_names_every_mistake_with_the_file(here: Path, capsys: Told) -> None:
    (here / "bad.json").write_bytes(text(whole() | {"serial": 0, "brokers": []}))
    assert main(["provision", "check", "bad.json"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["bad.json", "serial"],
        ["bad.json", "brokers"],
    ]


def test_check_tells_programs_the_same(issued: Path, here: Path, capsys: Told) -> None:
    capsys.readouterr()
    assert main(["provision", "check", str(issued), "--trust", "signed.pub", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trusted"] is True
    assert (found["node"], found["serial"], found["signer"]) == (
        "0a1b2c3d4e5f6071",
        7,
        city().id,
    )
    (here / "bad.json").write_bytes(text(whole() | {"serial": 0}))
    assert main(["provision", "check", "bad.json", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["problems"][0].startswith("bad.json: serial: ")


def test_show_hides_the_secrets(issued: Path, capsys: Told) -> None:
    assert main(["provision", "show", str(issued)]) == 0
    assert main(["provision", "show", str(issued), "--json"]) == 0
    told = capsys.readouterr().out
    assert "시청" in told
    assert not any(secret in told for secret in SECRETS)


def test_show_reads_what_a_node_keeps_and_what_is_not_right(here: Path, capsys: Told) -> None:
    kept = without_secrets(read(text(sign(whole(), CITY)), [city()]))
    (here / "kept.json").write_bytes(pretty(kept))
    assert main(["provision", "show", "kept.json"]) == 0
    strange: dict[str, Any] = whole() | {"sensors": [{}], "enrol": {"certificate": _NO_PEM}}
    (here / "strange.json").write_bytes(text(strange))
    assert main(["provision", "show", "strange.json"]) == 0
    assert "something that is no certificate" in capsys.readouterr().out


_NO_PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
