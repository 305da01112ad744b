"""A bundle as somebody who releases makes it: of format verity, read by OpenSSL and unsquashfs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.update.conftest import Releases
from tests.update.machine import OTA, Signer, need, system


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, releases: Releases) -> tuple[Path, Path]:
    """A bundle and the images that it was made of."""
    need({"unsquashfs": "squashfs-tools"})
    room = tmp_path_factory.mktemp("verity")
    system(room / "system", "verity")
    done = bundle(room, releases.signer, room / "out.raucb")
    assert done.returncode == 0, done.stderr
    return room / "out.raucb", room / "system"


def bundle(
    room: Path, signer: Signer, out: Path, path: str = "", version: str = "1.2.3"
) -> subprocess.CompletedProcess[str]:
    words: list[str | Path] = [
        OTA / "bundle", "--rootfs", room / "system/root", "--boot", room / "system/boot",
        "--cert", signer.certificate, "--key", signer.key, "--keyring", signer.keyring,
        "--version", version, out,
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path, prepend=":") if path else None
        return subprocess.run(words, capture_output=True, text=True, check=False)


def signature(path: Path, room: Path) -> tuple[Path, int]:
    """Cut the CMS structure out of a bundle: before the last 8 bytes, which give its length."""
    data = path.read_bytes()
    length = int.from_bytes(data[-8:], "big")
    cms = room / "cms"
    cms.write_bytes(data[-8 - length : -8])
    return cms, len(data) - 8 - length


def verified(cms: Path, keyring: Path) -> subprocess.CompletedProcess[str]:
    words = ("openssl", "cms", "-verify", "-inform", "DER", "-purpose", "any", "-in", cms)
    return subprocess.run((*words, "-CAfile", keyring), capture_output=True, text=True, check=False)


def test_openssl_finds_the_manifest_under_the_signature_of_the_release(
    made: tuple[Path, Path], releases: Releases, tmp_path: Path
) -> None:
    cms, _ = signature(made[0], tmp_path)
    done = verified(cms, releases.signer.keyring)
    assert done.returncode == 0, done.stderr
    for line in ("compatible=edgenode-arm64", "version=1.2.3", "format=verity", "verity-hash="):
        assert line in done.stdout
    stranger = Signer(tmp_path / "stranger")
    assert verified(cms, stranger.keyring).returncode != 0


def test_the_payload_is_the_two_images_and_the_hook_to_the_byte(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "payload"
    subprocess.run(("unsquashfs", "-q", "-d", out, made[0]), check=True, capture_output=True)
    wanted = {
        "rootfs.img": made[1] / "root", "boot.vfat": made[1] / "boot", "hook": OTA / "hook",
    }  # fmt: skip
    for name, source in wanted.items():
        assert (out / name).read_bytes() == source.read_bytes(), name
    assert {path.name for path in out.iterdir()} == {*wanted, "manifest.raucm"}
    assert (out / "hook").stat().st_mode & 0o111


def test_a_bundle_whose_format_was_dropped_is_not_given_out(
    made: tuple[Path, Path], releases: Releases, tmp_path: Path
) -> None:
    real, fake = shutil.which("rauc"), tmp_path / "bin/rauc"
    fake.parent.mkdir()
    drop = 'sed -i s/verity/plain/ "$5/manifest.raucm"'
    fake.write_text(f'#!/bin/sh\n[ "$4" = bundle ] && {drop}\nexec {real} "$@"\n')
    fake.chmod(0o755)
    done = bundle(made[1].parent, releases.signer, tmp_path / "out", str(fake.parent))
    assert done.returncode == 1
    assert "not of format verity" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_certificate_that_is_not_for_signing_code_signs_no_bundle(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    done = bundle(made[1].parent, Signer(tmp_path / "web", "serverAuth"), tmp_path / "out")
    assert done.returncode != 0
    assert "purpose" in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_is_missing_is_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    done = subprocess.run([OTA / "bundle", "out"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--rootfs" in done.stderr
