"""What a build refuses, and what it says then."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from deploy.deb import BuildError, gas, metadata
from deploy.deb.build import source_date, version_of
from deploy.deb.licences import copyright_of
from deploy.deb.target import RELEASES, Target, targets
from deploy.deb.wheels import fetched, unpack
from edgenode import __version__

ARM = Target(RELEASES[12], "arm64")


def wheel(directory: Path, name: str, files: dict[str, str]) -> Path:
    path = directory / name
    with ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


def test_the_date_is_the_one_that_is_given_else_that_of_the_commit_or_the_changelog(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert source_date({"SOURCE_DATE_EPOCH": "1764115200"}) == 1764115200
    assert source_date({}) > 1_700_000_000
    monkeypatch.setenv("PATH", "")  # no git
    assert source_date({}) == 1795662000  # Thu, 26 Nov 2026 03:00:00 +0000
    with pytest.raises(BuildError, match="not a number of seconds"):
        source_date({"SOURCE_DATE_EPOCH": "yesterday"})


def test_a_package_for_a_later_release_has_a_higher_version() -> None:
    versions = [version_of(target) for target in targets((12, 13), ("arm64",))]
    assert versions == [f"{__version__}~deb12", f"{__version__}~deb13"]


def test_the_changelog_begins_with_the_version_that_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert metadata.changelog("9~deb12", ARM).startswith("edgenode (9~deb12) bookworm; urgency=")
    monkeypatch.setattr(metadata, "project", lambda: {"version": "9.9.9"})
    with pytest.raises(BuildError, match=r"its first entry is not of 9\.9\.9; write what is new"):
        metadata.changelog("9.9.9~deb12", ARM)


def test_an_index_that_is_out_of_reach_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(BuildError, match="does this machine reach the package index"):
        fetched(ARM, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_that_is_not_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(_: Target, place: Path) -> None:
        place.mkdir()
        wheel(place, "cbor2-9-py3-none-any.whl", {"cbor2.py": "import os"})

    monkeypatch.setattr("deploy.deb.wheels._download", download)
    with pytest.raises(BuildError, match="not the pinned file"):
        fetched(ARM, tmp_path)


def test_libraries_are_unpacked_and_their_programs_are_not(tmp_path: Path) -> None:
    files = {
        "one/__init__.py": "1",
        "one-1.data/scripts/one": "a program",
        "one-1.data/purelib/two.py": "2",
        "one-1.data/data/share/three": "3",
    }
    unpack(wheel(tmp_path, "one.whl", files), tmp_path / "code")
    found = {p.relative_to(tmp_path / "code").as_posix() for p in (tmp_path / "code").rglob("*.*")}
    assert found == {"one/__init__.py", "two.py"}


@pytest.mark.parametrize("path", ["../out.py", "/etc/passwd", "one/../../out.py"])
def test_a_wheel_cannot_write_elsewhere(tmp_path: Path, path: str) -> None:
    with pytest.raises(BuildError, match="a wheel holds the path"):
        unpack(wheel(tmp_path, "one.whl", {path: ""}), tmp_path / "code")


def test_two_libraries_cannot_share_a_file(tmp_path: Path) -> None:
    first = wheel(tmp_path, "one.whl", {"same.py": "1"})
    unpack(first, tmp_path / "code")
    with pytest.raises(BuildError, match=r"same\.py is in another wheel too"):
        unpack(wheel(tmp_path, "two.whl", {"same.py": "2"}), tmp_path / "code")


def test_a_library_without_a_licence_is_not_shipped(tmp_path: Path) -> None:
    information = tmp_path / "one-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Name: one\nVersion: 1\n")
    with pytest.raises(BuildError, match="does not name its licence"):
        copyright_of(tmp_path, "usr/lib/edgenode")


def test_a_compiler_that_is_missing_is_named_with_its_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"):
        gas._compile(tmp_path, tmp_path / "library", ARM)
