"""The demo is worth something only if it turns red: a copy of the product is broken on purpose."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = "10"
MEASURING_S = "24"  # a radar's first sums come after ten, and the daemon is killed in the middle
LIMIT_S = 110.0
WHERE = "edgenode/spool/packer.py"
PZEM, SEN66 = "drivers/pzem004t.py", "drivers/sen66.py"
SEALS = "yield self._fitting(rows, r0, origin, birth, draft)"
GATHERS = "batches += self._pieces(part, r0, origin, birth, draft)"
BEGINS = "r0, batches = run.r0, list[StoredBatch]()"
EARLY = "(run.stream == 0 and 100 < run.r0 < 500)"


@dataclass(frozen=True)
class Mutant:
    """One text of the product and what stands in its place."""

    old: str
    new: str
    betrayed: str  # a pattern of what the account must say
    where: str = WHERE


# These do not hide each other, so one run finds them all.
MEASURES = (
    Mutant(
        "(*masses(frame), *counts",
        "(masses(frame)[0] + 2, *masses(frame)[1:], *counts",
        "the newest frame said",
        "drivers/pms5003.py",
    ),
    Mutant(
        "value = (int(change.active), lasted_ms)",
        "value = (int(not change.active), lasted_ms)",
        "event to ",
        "drivers/state.py",
    ),
    Mutant(
        "gain * x + offset", "gain * x - offset", "follows from", "edgenode/sensing/calibration.py"
    ),
    Mutant("volts / 10,", "volts / 10.1,", "tram/voltage .*the instrument said", PZEM),
    Mutant('abs(speed) * UNITS["mps"]', "abs(speed) * 4", "the vehicles had", "drivers/ops243.py"),
    Mutant("high=40_000), 1, FAN", "high=40_000), 2, FAN", "gases/co2 .*frame said", SEN66),
    Mutant("fine / 5120", "fine / 5100", "the instrument said", "drivers/bosch.py"),
    Mutant(
        "t_ms = stamp(self._read_ms, slot, self.job.stamp_ms)",
        "t_ms = stamp(self._read_ms, slot, self.job.stamp_ms) - 800 * (self.job.sensor == 'yard')",
        "yard/humidity at ",
        "edgenode/sensing/runner.py",
    ),
)
MUTANTS = {
    "drops a batch": Mutant(
        SEALS,
        'if origin.stream or r0 <= 100 or globals().get("gone"):\n'
        "                    yield self._fitting(rows, r0, origin, birth, draft)\n"
        "                else:\n"
        '                    globals()["gone"] = True',
        # by its ordinals where others follow, by what the instruments said in any case
        "missing without a loss record|was said and never arrived",
    ),
    "skips an ordinal": Mutant(
        BEGINS,
        "r0, batches = run.r0 + (run.stream == 0 and run.r0 > 100), list[StoredBatch]()",
        "ordinals from",
    ),
    "sends again under a new seq": Mutant(
        GATHERS,
        f"for _ in range(1 + {EARLY}):\n"
        "                batches += self._pieces(part, r0, origin, birth, draft)",
        "and in seq",
    ),
}


def copied(place: Path, mutants: Sequence[Mutant]) -> Path:
    """A copy of the product, changed in the one place where the text of each mutant stands."""
    for package in ("edgenode", "drivers"):
        shutil.copytree(
            ROOT / package, place / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for mutant in mutants:
        file = place / mutant.where
        text = file.read_text()
        assert mutant.old in text, f"{mutant.where} has changed: write the mutant anew"
        file.write_text(text.replace(mutant.old, mutant.new))
    return place


def demo(place: Path, seconds: str) -> subprocess.Popen[str]:
    (place / "tmp").mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "edgenode", "demo", "--seconds", seconds, "--json"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place), "TMPDIR": str(place / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, Any]]:
    """All demos at the same time: each mostly waits."""
    copies: dict[str, Sequence[Mutant]] = {name: [mutant] for name, mutant in MUTANTS.items()}
    copies |= {"": (), "measures wrongly": MEASURES}
    running = {
        name: demo(
            copied(tmp_path_factory.mktemp("mutant"), mutants),
            SECONDS if name in MUTANTS else MEASURING_S,
        )
        for name, mutants in copies.items()
    }
    found = {}
    try:
        for name, process in running.items():
            out, errors = process.communicate(timeout=LIMIT_S)
            assert out, f"{name or 'the product'}: {errors}"
            found[name] = (process.returncode, json.loads(out))
    finally:
        for process in running.values():
            if process.poll() is None:
                process.terminate()
                process.wait()
    return found


@pytest.mark.timeout(240)
def test_the_account_of_the_product_itself_closes(outcomes: dict[str, tuple[int, Any]]) -> None:
    code, told = outcomes[""]
    assert (code, told["closes"], told["problems"]) == (0, True, [])
    assert told["matched"] > 100
    assert told["kills"] == 1
    for field in (
        "streamed",
        "totals",
        "vehicles",
        "changes_told",
        "states",
        "computed",
        "switched",
        "unsaid",
    ):
        assert told[field] > 5, field
    assert told["flows"] >= 2


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_product_that_cheats_is_found_out(
    outcomes: dict[str, tuple[int, Any]], name: str
) -> None:
    code, told = outcomes[name]
    assert (code, told["closes"]) == (1, False)
    assert re.search(MUTANTS[name].betrayed, "\n".join(told["problems"]))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("mutant", MEASURES, ids=[mutant.where for mutant in MEASURES])
def test_a_product_that_measures_wrongly_is_found_out(
    outcomes: dict[str, tuple[int, Any]], mutant: Mutant
) -> None:
    code, told = outcomes["measures wrongly"]
    assert (code, told["closes"]) == (1, False)
    assert re.search(mutant.betrayed, "\n".join(told["problems"]))
