"""What a fleet tells: a line and an object for each second, and its account."""

from __future__ import annotations

import json
from typing import Any

from edgenode.fleet.plan import Plan
from edgenode.fleet.second import KINDS, Second
from edgenode.fleet.verdict import Verdict

EVERY_S = 5.0  # between two lines for people
SHOWN = 10  # differing rows, or problems, that are told
HEAD = (
    "    s  connected   made/s  acked/s  live p50/p99 ms  backlog p50/p99 ms  unacked"
    "  B/reading  tries  load"
)


class Telling:
    """Prints seconds as they come: every one as JSON, or one line in five seconds."""

    def __init__(self, plan: Plan, *, as_json: bool) -> None:
        self._json = as_json
        self._city = plan.custody == "city"
        self._told_s = -EVERY_S
        self._attempts = 0
        if not as_json:
            made = plan.channels * 1000 / plan.every_ms
            print(
                f"{plan.nodes} simulated nodes in {plan.processes} processes and {plan.real} real"
                f" daemons, {plan.channels} channels each: {(plan.nodes + plan.real) * made:,.0f}"
                f" readings/s for {plan.seconds:g} s\n{HEAD}"
            )

    def second(self, second: Second) -> None:
        """Tell one second."""
        self._attempts += second.attempts
        if self._json:
            print(json.dumps(as_json(second)), flush=True)
        elif second.at_s - self._told_s >= EVERY_S:
            print(self._line(second), flush=True)
            self._told_s, self._attempts = second.at_s, 0

    def _line(self, second: Second) -> str:
        acked = second.city_per_s if self._city else second.broker_per_s
        open_ = second.made - (second.city_acked if self._city else second.broker_acked)
        connected = f"{second.connected}+{second.real}"
        each = second.bytes_per_reading
        load = ", ".join(
            f"{name} {one.cores:.0%} {one.rss / 1e6:.0f} MB" for name, one in second.load.items()
        )
        line = (
            f"{second.at_s:5.0f}  {connected:>9}  {second.made_per_s:7.0f}  {acked:7.0f}"
            f"  {_two(second.live_p50_ms, second.live_p99_ms):>15}"
            f"  {_two(second.late_p50_ms, second.late_p99_ms):>18}"
            f"  {open_:>7}  {'-' if each is None else f'{each:.2f}':>9}"
            f"  {self._attempts:>5}  {load}"
        )
        if second.behind_ms > BEHIND_MS:
            line += f"\n       ! reads are {second.behind_ms} ms late: this machine is too slow"
        return line + (f"\n       ! {second.degraded}" if second.degraded else "")

    def verdict(self, verdict: Verdict) -> None:
        """Tell the account."""
        if self._json:
            print(json.dumps(account(verdict)))
        else:
            print("\n".join(["", *lines(verdict)]))


BEHIND_MS = 1_000


def _two(p50: int | None, p99: int | None) -> str:
    return "-" if p50 is None else f"{p50}/{p99}"


def as_json(second: Second) -> dict[str, Any]:
    """Return a second as JSON holds it."""
    return second._asdict() | {"load": {name: one._asdict() for name, one in second.load.items()}}


def account(verdict: Verdict) -> dict[str, Any]:
    """Return the account as JSON holds it."""
    outcome, simulated, real = verdict
    told: dict[str, Any] = outcome._asdict() | {"last": as_json(outcome.last), "well": verdict.well}
    if simulated is not None:
        told["simulated"] = simulated._asdict() | {
            "found": simulated.found._asdict() | {"rows": list(simulated.found.rows[:SHOWN])}
        }
    if real is not None:
        told["real"] = real._asdict()
    return told


def lines(verdict: Verdict) -> list[str]:
    """Return the account for people."""
    outcome, simulated, real = verdict
    puback, live, late = (
        _two(outcome.latencies[f"{name}_p50_ms"], outcome.latencies[f"{name}_p99_ms"])
        for name in KINDS
    )
    spread = [count for count in outcome.attempts if count]
    most = max(spread, default=0)
    settled = "settled" if outcome.settled else "NOT SETTLED"
    ages = f"live {live} ms ({puback} ms to the broker's), backlog {late} ms"
    told = [
        f"{settled} in {outcome.settle_s:.1f} s; tries to connect in one second: {most} at most",
        f"from a batch's last read to its ack, median/99 %: {ages}",
    ]
    if simulated is not None:
        found = simulated.found
        told.append(
            f"simulated: {found.made} made, {found.held} held;"
            f" {found.missing} missing ({simulated.killed} in no commit when a node was killed,"
            f" {simulated.unexplained} UNEXPLAINED), {found.alien} never made,"
            f" {found.repeated} held twice"
        )
        if not simulated.closes:
            told += [f"  {' '.join(map(str, row))}" for row in found.rows[:SHOWN]]
    if real is not None:
        told.append(
            f"real: {real.said} said by their sensors; {real.received} held: {real.matched} agree,"
            f" {real.numberless} say why there is no number; {len(real.problems)} problems"
        )
        told += [f"  {problem}" for problem in real.problems[:SHOWN]]
    return [*told, "well" if verdict.well else "NOT WELL"]
