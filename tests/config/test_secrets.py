"""There is no place for a secret in the file, and none is repeated in a message."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from edgenode.config import parse
from edgenode.config.check import fields_of
from edgenode.config.describe import bare, is_secret, shape
from edgenode.config.model import FileTable
from edgenode.driver import loadable
from tests.support.toml import changed, problems

SECRET = "hunter2"  # noqa: S105 - it stands for one
SOUNDS_SECRET = re.compile("pass|secret|token|key|credential|private", re.IGNORECASE)


def keys(struct: type[msgspec.Struct]) -> Iterator[tuple[str, object]]:
    """Every key of a table and of the tables in it, with its type."""
    for field in fields_of(struct).values():
        yield field.name, field.type
        inner = shape(field.type).struct
        if inner:
            yield from keys(inner)


def test_every_key_that_sounds_like_a_secret_holds_the_place_of_one() -> None:
    found = [*keys(FileTable)]
    for driver in loadable().values():
        found += keys(driver.options)
    secrets = {name: kind for name, kind in found if SOUNDS_SECRET.search(name)}
    assert set(secrets) == {"key", "password_file"}
    assert all(is_secret(kind) and bare(kind) is Path for kind in secrets.values())


@pytest.mark.parametrize(
    "host", [f"u:{SECRET}@h", f"mqtt://u:{SECRET}@h", f"{SECRET}@h", f"h/?p={SECRET}@", "h:1883"]
)
def test_a_host_with_anything_but_a_name_is_refused_and_not_repeated(host: str) -> None:
    (problem,) = problems(changed('"broker.example"', f'"{host}"'))
    assert "no user or password" in problem
    assert SECRET not in problem


@pytest.mark.parametrize("host", ["broker.example", "10.0.0.1", "::1", "fe80::1%eth0"])
def test_a_name_and_both_kinds_of_address_are_hosts(host: str) -> None:
    assert parse(changed('"broker.example"', f'"{host}"')).uplink.broker[0].host == host


@pytest.mark.parametrize(
    "line",
    [
        f'password_file = "{SECRET}"',
        f'key = "-----BEGIN PRIVATE KEY-----{SECRET}"',
        f'key = """-----BEGIN PRIVATE KEY-----\n{SECRET}\n"""',
        f'key = "/x\\n{SECRET}"',
        f'password = "{SECRET}"',
        f'password_file = ["{SECRET}"]',
        f'password_file = "credential:../{SECRET}"',
    ],
)
def test_a_secret_in_place_of_its_path_is_refused_and_not_repeated(line: str) -> None:
    found = problems(changed('ca = "/etc/edgenode/ca.pem"', line))
    assert found
    assert not any(SECRET in problem for problem in found)


def test_a_credential_is_only_where_a_secret_may_lie() -> None:
    text = changed('ca = "/etc/edgenode/ca.pem"', 'password_file = "credential:mqtt"')
    assert parse(text).uplink.broker[0].password_file == Path("credential:mqtt")
    (problem,) = problems(changed('"/var/lib/edgenode"', '"credential:state"'))
    assert "node.state: expected an absolute path" in problem
