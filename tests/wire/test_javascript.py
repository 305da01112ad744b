"""The decoder for Node and browsers agrees with this one on every vector."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "wire" / "vectors"


def test_the_javascript_decoder_reads_and_refuses_the_same_vectors() -> None:
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.fail("node is not installed: apt-get install nodejs")
    script = ROOT / "docs" / "decoders" / "js" / "vectors.test.mjs"
    done = subprocess.run(
        [node, str(script), str(VECTORS)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    for name, file in {"valid": "valid", "refused": "refused", "columns": "column-vectors"}.items():
        cases = json.loads((VECTORS / f"{file}.json").read_text(encoding="ascii"))
        assert counts[name] == len(cases)
