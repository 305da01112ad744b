"""What Debian's own judge of packages says. Needs the Debian package lintian."""

import subprocess

import pytest


@pytest.mark.timeout(120)
def test_lintian_finds_no_error(lintian: subprocess.Popen[str]) -> None:
    said, _ = lintian.communicate(timeout=100)
    assert lintian.returncode == 0, said
