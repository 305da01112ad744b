"""The vectors notice a wrong decoder for Node, and it has a limit that no vector has room for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edgenode.errors import WireError
from edgenode.wire import decode
from edgenode.wire.limits import MAX_ITEMS
from tests.wire.vectors.raw import written

ROOT = Path(__file__).parents[2]
DECODER = ROOT / "docs" / "decoders" / "js"
VECTORS = ROOT / "tests" / "wire" / "vectors"
DECODE_STDIN = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const { decode } = await import(pathToFileURL(process.argv[1]).href);
decode(readFileSync(0));
"""


def run_node(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    node = shutil.which("node") or shutil.which("nodejs")
    assert node, "node is missing: install the Debian package nodejs"
    return subprocess.run(
        [node, *arguments], input=stdin, capture_output=True, timeout=60, check=False
    )


def test_a_decoder_with_one_sign_flipped_disagrees_with_the_vectors(tmp_path: Path) -> None:
    copy = tmp_path / "js"
    shutil.copytree(DECODER, copy)
    columns = copy / "columns.mjs"
    source = columns.read_text(encoding="utf-8")
    assert source.count("-(u + 1) / 2") == 1
    columns.write_text(source.replace("-(u + 1) / 2", "(u + 1) / 2"), encoding="utf-8")
    broken = run_node(str(copy / "vectors.test.mjs"), str(VECTORS))
    assert broken.returncode == 1
    assert b"AssertionError" in broken.stderr


@pytest.mark.parametrize(("beyond", "returncode"), [(0, 0), (1, 1)])
def test_integers_of_maps_count_towards_the_limit_of_items(beyond: int, returncode: int) -> None:
    of_the_message = 12  # its keys and values
    pairs = (MAX_ITEMS - of_the_message) // 2 + beyond
    data = written(
        {
            0: 1,
            1: b"node",
            14: b"spool id",
            40: True,
            41: [1, 2],
            50: dict.fromkeys(range(pairs), 0),
        }
    )
    if returncode:
        with pytest.raises(WireError, match="items besides integers"):
            decode(data)
    else:
        decode(data)
    arguments = "--input-type=module", "--eval", DECODE_STDIN, str(DECODER / "edge-batch.mjs")
    done = run_node(*arguments, stdin=data)
    assert done.returncode == returncode, done.stderr
    assert (b"items besides integers" in done.stderr) == bool(returncode)
