"""A secret's place may be a credential that systemd hands over."""

from pathlib import Path

import pytest

from edgenode.config.credentials import resolved
from edgenode.errors import NodeError


def test_a_path_means_itself() -> None:
    assert resolved(Path("/etc/edgenode/key"), {}) == Path("/etc/edgenode/key")


def test_a_credential_means_the_file_that_systemd_handed_over(tmp_path: Path) -> None:
    (tmp_path / "mqtt").write_text("hush")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert resolved(Path("credential:mqtt"), environment) == tmp_path / "mqtt"


def test_without_systemd_it_says_what_the_unit_must_say() -> None:
    with pytest.raises(NodeError, match="no credentials here; give the unit LoadCredential=mqtt:/"):
        resolved(Path("credential:mqtt"), {})


def test_a_credential_that_was_not_handed_over_is_named(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="credential:mqtt: there is no such credential in"):
        resolved(Path("credential:mqtt"), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
