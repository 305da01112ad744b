"""A city on this machine that everything happens to: `python -m bench.city --nodes 950 --real 50`.

Two Mosquittos, two receivers that share the load, PostgreSQL, simulated nodes and daemons. In this
order PostgreSQL is killed, a receiver is killed, both brokers are killed and stay away, and while
the backlog drains PostgreSQL and the other receiver are killed. Then the ledger of what was made is
compared with the city's table, by EXCEPT both ways. It prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.support.place import Place

CALM_S: Final = 40.0  # from the last node's start to the first blow
AFTER_S: Final = 60.0  # of reading after the brokers are back
OFFLINE_WINDOW_S: Final = 15.0  # so that each node has a backlog of several batches
PARTS: Final = ("nodes", "real", "broker", "receiver", "database")


def measure(nodes: int, real: int, outage_s: float, window_s: float) -> dict[str, object]:
    """Run it and return figures: CPU in us a reading, memory in MB, latencies in ms, the account.

    Raises RuntimeError when the fleet ends without an account.
    """
    ramp_s = max(5.0, nodes / 40)
    seconds = ramp_s + CALM_S + 40 + outage_s + AFTER_S
    with TemporaryDirectory(prefix="edgenode-city-") as name, Place(Path(name)) as place:
        down = ramp_s + CALM_S + 40
        blows: list[tuple[float, str, Callable[[], None]]] = [
            (ramp_s + CALM_S, "PostgreSQL killed", place.kill_postgres),
            (ramp_s + CALM_S + 20, "receiver killed", lambda: place.kill_receiver(0)),
            (down, "all brokers killed", place.kill_brokers),
            (down + outage_s, "brokers back", place.start_brokers),
            (down + outage_s + 5, "PostgreSQL killed", place.kill_postgres),
            (down + outage_s + 15, "receiver killed", lambda: place.kill_receiver(1)),
        ]
        words = [
            "fleet", *place.words(), "--nodes", str(nodes), "--real", str(real), "--json",
            "--seconds", str(seconds), "--ramp", str(ramp_s), "--window", str(window_s),
            "--offline-window", str(OFFLINE_WINDOW_S),
            "--settle", "300",
        ]  # fmt: skip
        told = list(_run(words, blows))
    if "settled" not in told[-1]:
        raise RuntimeError("the fleet ended without an account; what it said stands above")
    return _figures(told, ramp_s, down, down + outage_s)


def _run(
    words: Sequence[str], blows: list[tuple[float, str, Callable[[], None]]]
) -> Iterator[dict[str, Any]]:
    """Yield what the fleet tells each second, and strike when it is time."""
    command = [sys.executable, "-m", "edgenode", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            yield told
            while blows and told.get("at_s", 0) >= blows[0][0]:
                _, name, strike = blows.pop(0)
                print(f"{told['at_s']:.0f} s: {name}", file=sys.stderr)
                strike()


def _figures(
    told: Sequence[dict[str, Any]], ramp_s: float, down_s: float, back_s: float
) -> dict[str, object]:
    seconds, account = told[:-1], told[-1]
    calm = [one for one in seconds if ramp_s + 10 <= one["at_s"] <= ramp_s + CALM_S]
    down = [one for one in seconds if down_s < one["at_s"] < back_s]
    after = [one for one in seconds if one["at_s"] > back_s]
    connected = max(one["connected"] for one in calm)
    made_per_s = fmean(one["made_per_s"] for one in calm)
    return {
        "calm": {
            "made_per_s": made_per_s,
            "cores": {name: _mean(calm, name, "cores") for name in PARTS},
            "rss_mb": {name: _mean(calm, name, "rss") / 1e6 for name in PARTS},
            "live_p50_ms": _median(calm, "live_p50_ms"),
            "live_p99_ms": _median(calm, "live_p99_ms"),
            "behind_ms": max(one["behind_ms"] for one in calm),
        },
        "after": {
            "attempts_at_most": max(one["attempts"] for one in after),
            "attempts_each_s": [one["attempts"] for one in after[:60]],
            "connected_after_s": next(
                (one["at_s"] - back_s for one in after if one["connected"] >= connected), None
            ),
            "live_p50_ms": _median(after, "live_p50_ms"),
            "live_p99_ms": _median(after, "live_p99_ms"),
            "backlog_p50_ms": _median(after, "late_p50_ms"),
            "backlog_batches": [one["backlog"] for one in after[:120:5]],
            "behind_ms": max(one["behind_ms"] for one in after),
        },
        "attempts_in_outage": max(one["attempts"] for one in down),
        "account": account,
    }


def _mean(seconds: Sequence[dict[str, Any]], part: str, of: str) -> float:
    found = [one["load"][part][of] for one in seconds if part in one["load"]]
    return fmean(found) if found else 0.0


def _median(seconds: Sequence[dict[str, Any]], name: str) -> float | None:
    found = sorted(one[name] for one in seconds if one[name] is not None)
    return found[len(found) // 2] if found else None


def main() -> int:
    """Measure; the exit code is 1 when the account does not close."""
    parser = argparse.ArgumentParser(prog="python -m bench.city", description=__doc__)
    parser.add_argument("--nodes", type=int, default=50, help="simulated")
    parser.add_argument("--real", type=int, default=50, help="daemons of their own")
    parser.add_argument("--outage", type=float, default=120.0, help="seconds without a broker")
    parser.add_argument("--window", type=float, default=20.0, help="seconds of a batch")
    asked = parser.parse_args()
    found = measure(asked.nodes, asked.real, asked.outage, asked.window)
    print(json.dumps(found, indent=1))
    account = found["account"]
    return 0 if isinstance(account, dict) and account["well"] else 1


if __name__ == "__main__":
    sys.exit(main())
