"""Say whether the node is well, since when, and what to do if it is not."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

SOCKET = "/run/edgenode/control.sock"
STATE = "/var/lib/edgenode"
WELL, NOT_WELL, NO_DAEMON = 0, 1, 3
STEADY_S = 3_600
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="the document of docs/cli.md")
    parser.add_argument("--socket", default=SOCKET, help=f"default: {SOCKET}")
    parser.add_argument("--state", default=STATE, help=f"looked at without a daemon: {STATE}")


def run(args: argparse.Namespace) -> int:
    """Ask the daemon and print its answer."""
    from pathlib import Path  # noqa: PLC0415 - 60 ms is all this verb may cost

    from edgenode.control import NoDaemon, ask  # noqa: PLC0415 - the same

    try:
        answer = ask(Path(args.socket), "status")
    except NoDaemon as exc:
        return _absent(args, str(exc))
    if args.json:
        _print_json(answer)
    else:
        print("\n".join(text(answer)))
    return WELL if answer["health"] == "well" else NOT_WELL


def _print_json(document: dict[str, Any]) -> None:
    import json  # noqa: PLC0415 - the same

    json.dump(document, sys.stdout, indent=2)
    print()


def _absent(args: argparse.Namespace, why: str) -> int:
    """Tell what can be told without a daemon: when one last wrote to the spool."""
    written_s = _last_written(os.path.join(args.state, "spool"))  # noqa: PTH118 - pathlib costs
    if args.json:
        age = None if written_s is None else max(0, int(time.time() - written_s))
        document = {"format": 1, "health": "absent", "problem": why, "spool_written_s_ago": age}
        _print_json(document)
        return NO_DAEMON
    print(f"edgenode does not run: {why}")
    if written_s is None:
        print(f"  spool   none can be seen in {args.state} (or it is not yours to see)")
    else:
        ago = span(time.time() - written_s)
        print(f"  spool   last written {ago} ago; what was committed is safe in {args.state}")
    print("  do      systemctl status edgenode; journalctl -u edgenode -n 20")
    return NO_DAEMON


def _last_written(directory: str) -> float | None:
    try:
        with os.scandir(directory) as entries:
            return max((entry.stat().st_mtime for entry in entries), default=None)
    except OSError:
        return None


def span(seconds: float) -> str:
    """Return a time span in its two largest units."""
    left = max(0, int(seconds))
    words: list[str] = []
    for name, size in UNITS:
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {name}")
    return " ".join(words[:2]) or "0 s"


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield the status document in plain words."""
    since, up = span(answer["since_s"]), span(answer["up_s"])
    yield f"node {answer['node']} is {answer['health'].upper()} since {since} (up {up})"
    for problem in answer["problems"]:
        yield f"  ! {problem['what']} (for {span(problem['since_s'])})"
        yield f"    do: {problem['advice']}"
    yield f"  clock     {'nobody vouches for it' if answer['clock'] == 'none' else answer['clock']}"
    yield from _sensing(answer)
    yield from _spool(answer["spool"], answer["up_s"])
    yield from _uplink(answer)


def _sensing(answer: dict[str, Any]) -> Iterator[str]:
    sensors = [sensor for bus in answer["buses"] for sensor in bus["sensors"]]
    working = sum(sensor["state"] in {"ok", "settling"} for sensor in sensors)
    missed = sum(sensor["missed"] for sensor in sensors)
    yield (
        f"  sensing   {working} of {len(sensors)} sensors on {len(answer['buses'])} buses answer;"
        f" {answer['spool']['readings']} readings, {missed} slots missed"
    )


def _spool(spool: dict[str, Any], up_s: int) -> Iterator[str]:
    share = 100 * spool["used_bytes"] // max(spool["cap_bytes"], 1)
    wear = f"{spool['written_bytes_per_day'] / 1e9:.3f} GB a day to the card"
    if up_s < STEADY_S:  # a start writes more than an hour of running does
        wear = f"{spool['written_bytes'] / 1e6:.1f} MB to the card since the start"
    yield (
        f"  spool     {spool['held_batches']} batches held, {spool['window_readings']} readings in"
        f" the open window, {share} % of {spool['cap_bytes'] >> 20} MB;"
        f" {wear}"
    )
    lost = spool["evicted_readings"] + spool["overflow_readings"]
    if lost:
        yield f"  lost      {lost} readings since the start (recorded, and told to the City OS)"


def _uplink(answer: dict[str, Any]) -> Iterator[str]:
    uplink = answer["uplink"]
    if uplink is None:
        yield "  uplink    not started yet: the first sample comes first"
        return
    state = "connected to" if uplink["connected"] else "NOT connected to"
    version = f" (MQTT {uplink['protocol']})" if uplink["protocol"] else ""
    yield (
        f"  uplink    {state} {uplink['broker'] or 'any broker'}{version};"
        f" {uplink['acked']} of {uplink['sent']} batches acknowledged by brokers"
    )
    if not uplink["connected"] and uplink["last_error"]:
        yield f"            {uplink['last_error']}"
