"""A bundle tells enough to help and nothing that is secret, wherever a secret was put."""

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli import main
from edgenode.cli.redaction import GONE, cleaned, configuration, node_of, scrubbed, secrets_of
from tests.support.documents import Played

Capture = pytest.CaptureFixture[str]

MEMBERS = {
    "status.json", "sensors.json", "history.json", "metrics.txt", "spool.json", "verify.json",
    "config.json", "versions.json", "kernel.txt", "mounts.txt", "journal.txt", "warnings.txt",
    "contents.json",
}  # fmt: skip

CONFIG = """\
schema = 1  # S3cret-in-a-comment
[node]
id = "0a1b2c3d"
[site]
purpose = "S3cret-free-text"
[uplink]
prefix = "edgenode/v1"
[[uplink.broker]]
host = "mqtt.city.example"
username = "S3cret-user"
password_file = "{password}"
key = "{key}"
password = "S3cret-that-is-no-key-of-ours"
[[sensor]]
name = "air"
driver = "sht4x"
every_s = 5
api_token = "S3cret-option"
psk = 53112233
note = "mqtt://someone:S3cret-url@host/"
"S3cret key" = 1
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file with a secret in every corner, beside a password and a key that it names."""
    (tmp_path / "password").write_text('S3cret-"pass\\word\n')
    (tmp_path / "key.pem").write_text(
        "-----BEGIN PRIVATE KEY-----\nS3cretS3cretS3cretAAAA\n-----END PRIVATE KEY-----\n"
    )
    (tmp_path / "log").mkdir()
    (tmp_path / "log/warnings.1").write_text("kernel: voltage is low\n")
    (tmp_path / "log/warnings").write_text("edgenode[1]: refused for S3cret-user\n")
    path = tmp_path / "edgenode.toml"
    path.write_text(CONFIG.format(password=tmp_path / "password", key=tmp_path / "key.pem"))
    return path


@pytest.fixture(autouse=True)
def _journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    script = tools / "journalctl"
    script.write_text(
        "#!/bin/sh\ncat <<'END'\n"
        "edgenode[1]: not connected: refused for S3cret-user\n"
        'edgenode[1]: read S3cret-"pass\\word from the file\n'
        "edgenode[1]: key S3cretS3cretS3cretAAAA\n"
        "sudo[2]: PASSWORD=S3cret-env command\n"
        "curl[3]: Authorization: Bearer S3cretS3cret.token\n"
        "curl[3]: https://joe:S3cret-joe@example.org/\n"
        "-----BEGIN RSA PRIVATE KEY-----\nS3cret-body\n-----END RSA PRIVATE KEY-----\n"
        "edgenode[1]: sensor air is lost\n"
        "END\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")


def bundled(tmp_path: Path, *words: str) -> dict[str, bytes]:
    target = tmp_path / "out.tar.gz"
    assert main(["bundle", str(target), *words, "--state", str(tmp_path)]) == 0
    assert target.stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as archive:
        found: dict[str, bytes] = {}
        for member in archive.getmembers():
            file = archive.extractfile(member)
            assert file is not None
            found[member.name.removeprefix("edgenode/")] = file.read()
    return found


def poisoned(daemon: Played) -> None:
    """Let the daemon repeat secrets in whatever text it has."""
    daemon.status["uplink"]["last_error"] = 'refused: user S3cret-user, S3cret-"pass\\word'
    daemon.sensors["sensors"][0]["detail"] = "http://joe:S3cret-joe@10.0.0.1/"
    daemon.history["entries"][0]["what"] = "token=S3cret-token"
    daemon.text = "# HELP a S3cret-user\n# EOF\n"


def test_no_secret_is_in_the_archive_wherever_it_was_put(
    tmp_path: Path, config: Path, daemon: Played
) -> None:
    poisoned(daemon)
    members = bundled(tmp_path, "--config", str(config), "--socket", str(daemon.path))
    assert set(members) == MEMBERS
    for name, data in members.items():
        assert b"S3cret" not in data, name
        assert b"53112233" not in data, name


def test_what_helps_is_in_the_archive(tmp_path: Path, config: Path, daemon: Played) -> None:
    members = bundled(tmp_path, "--config", str(config), "--socket", str(daemon.path))
    status = json.loads(members["status.json"])
    assert status["node"] == "0a1b2c3d"
    shown = json.loads(members["config.json"])
    assert shown["uplink"]["broker"][0]["host"] == "mqtt.city.example"
    assert shown["sensor"][0] == {
        "name": "air", "driver": "sht4x", "every_s": 5, "api_token": GONE, "psk": GONE,
        "note": GONE, GONE: GONE,
    }  # fmt: skip
    assert b"sensor air is lost" in members["journal.txt"]
    older, newer = members["warnings.txt"].splitlines()
    assert (older, newer.startswith(b"edgenode[1]: refused")) == (b"kernel: voltage is low", True)
    assert json.loads(members["versions.json"])["packages"]["msgspec"]
    assert b"Linux version" in members["kernel.txt"]


def test_without_a_daemon_what_is_missing_says_why(
    tmp_path: Path, config: Path, capsys: Capture
) -> None:
    members = bundled(
        tmp_path, "--config", str(config), "--socket", str(tmp_path / "none"), "--json"
    )
    assert json.loads(members["status.json"])["health"] == "absent"
    told = json.loads(capsys.readouterr().out)
    problems = {row["name"]: row["problem"] for row in told["contents"]}
    assert problems["status.json"] is None
    assert "no daemon answers" in problems["sensors.json"]
    assert "cannot be read" in problems["verify.json"]
    assert problems["config.json"] is None
    contents = json.loads(members["contents.json"])
    assert {row["name"] for row in contents} == MEMBERS - {"contents.json"}
    assert all(b"S3cret" not in data for data in members.values())


def test_a_node_without_any_file_still_gives_a_bundle(tmp_path: Path, capsys: Capture) -> None:
    missing = str(tmp_path / "none")
    members = bundled(tmp_path, "--config", missing, "--socket", missing)
    assert set(members) == MEMBERS
    assert "config.json" in capsys.readouterr().out


def test_a_bundle_is_named_after_its_node_and_overwrites_nothing(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["bundle", "--config", str(config), "--socket", "none", "--state", str(tmp_path)]
    assert main(words) == 0
    [archive] = tmp_path.glob("edgenode-0a1b2c3d-*.tar.gz")
    assert main(["bundle", str(archive), *words[1:]]) == 1
    assert "name another file" in capsys.readouterr().err


def test_a_file_that_is_no_toml_is_not_shown_at_all() -> None:
    assert configuration('[node]\npassword = "S3cret\n') == {
        "problem": "not TOML, line 2; its text is left out"
    }
    assert secrets_of("[") == set()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password", "x"), ("Passphrase", 7), ("wifi_psk", "x"), ("client_cert", "/a"),
        ("ca", "/a"), ("token", ["a", "b"]), ("user", "x"), ("host", "a@b"),
        ("host", "two words"), ("why", "x"),
    ],
)  # fmt: skip
def test_what_is_not_known_to_be_harmless_is_taken_out(key: str, value: Any) -> None:
    text = f"{key} = {json.dumps(value)}\n"
    assert configuration(text) == {key: GONE}


def test_which_channel_lends_a_source_is_harmless_and_a_secret_in_its_place_is_not() -> None:
    text = '[[sensor]]\nsources = { humidity = "air/humidity", token = "x", a = "two words" }\n'
    assert configuration(text) == {
        "sensor": [{"sources": {"humidity": "air/humidity", "token": GONE, "a": GONE}}]
    }


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password: hunter2, next", f"{GONE}, next"),
        ("mqtt://a:b@host/x", f"mqtt://{GONE}host/x"),
        ("a -----BEGIN PRIVATE KEY-----\nAAAA", f"a {GONE}"),
        ("Bearer abcdefgh.ijk", GONE),
        ("sensor air: token bucket is empty", "sensor air: token bucket is empty"),
    ],
)
def test_what_has_the_shape_of_a_secret_is_taken_out(text: str, left: str) -> None:
    assert scrubbed(text) == left


def test_a_secret_is_found_before_json_would_write_it_otherwise() -> None:
    assert cleaned({"a": ['x"y\\z!']}, {'"y\\z'}) == {"a": [f"x{GONE}!"]}


def test_a_secret_within_a_longer_one_leaves_no_rest() -> None:
    assert scrubbed("hunter2hunter", {"hunter2", "hunter2hunter"}) == GONE


def test_the_user_name_that_is_the_nodes_id_is_no_secret() -> None:
    text = '[node]\nid = "0a1b2c3d"\n[uplink]\nusername = "0a1b2c3d"\n'
    assert node_of(text) == "0a1b2c3d"
    assert secrets_of(text, node_of(text)) == set()
