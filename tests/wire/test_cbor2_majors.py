"""The bytes are the same under cbor2 5.9 and 6, whichever of them is installed here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = """
import json
from importlib.metadata import version
from pathlib import Path
from tests.wire.vectors import generate
assert version("cbor2").startswith("{major}"), version("cbor2")
for name in ("valid", "refused"):
    frozen = json.loads(Path("tests/wire/vectors", name + ".json").read_text(encoding="ascii"))
    assert getattr(generate, name)() == frozen, name
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("requirement", "major"), [("cbor2==5.9.0", "5.9"), ("cbor2==6.*", "6.")])
def test_the_vectors_are_written_alike_by_both_majors(
    requirement: str, major: str, pytestconfig: pytest.Config
) -> None:
    cache = pytestconfig.cache
    assert cache is not None
    target = Path(cache.mkdir(f"cbor2-{major}-{sys.implementation.cache_tag}"))
    if not (target / "cbor2").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target)]
        fetched = subprocess.run([*pip, requirement], check=False, timeout=240)
        if fetched.returncode:
            pytest.fail(f"{requirement} cannot be fetched: pip needs an index")
    environment = dict(os.environ, PYTHONPATH=f"{target}{os.pathsep}{ROOT}")
    script = CHECK.format(major=major)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
