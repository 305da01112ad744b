"""Real daemons beside the simulated nodes: `edgenode run`, each a process over virtual sensors."""

from __future__ import annotations

import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from edgenode.control import NoDaemon, ask
from edgenode.demo.children import Child
from edgenode.errors import NodeError
from edgenode.fleet.plan import Plan
from edgenode.fleet.sensors import PLAYED, decimals
from edgenode.uplink import Broker
from edgenode.virtual.series import load

MARK: Final = b"\xf1\xef"  # the first bytes of every real daemon's id
AT_ONCE: Final = 4  # daemons that drain
READY_S: Final = 60.0
LOOK_S: Final = 0.05
STOP_S: Final = 20.0
STAMP_MS: Final = 50
TOGETHER: Final = 20  # channels that one part has, and gives in one answer

NODE_TOML: Final = """\
schema = 1
[node]
id = "{node}"
state = "{directory}/state"
socket = "{directory}/control.sock"
[site]
name = "Real daemon of a load test"
purpose = "Load test over virtual sensors"
[clock]
manual_err_ms = 1000
[spool]
cap_mb = 16
pregrow = false
commit_interval_s = {commit_s}
window_s = {window_s}
offline_window_s = {offline_window_s}
[uplink]
prefix = "{prefix}"
custody = "{custody}"
"""
BUS: Final = '[[bus]]\nname = "{bus}"\nkind = "serial"\npath = "sim:{wires}#{bus}"\n'
SENSOR: Final = """\
[[sensor]]
name = "{sensor}"
driver = "modbus"
purpose = "Load test"
bus = "{bus}"
every_s = {every_s}
stamp_ms = {stamp_ms}
address = {address}
"""
REGISTER: Final = """\
[[sensor.registers]]
name = "{name}"
register = {register}
type = "f32"
unit = "{unit}"
decimals = {decimals}
"""
INSTRUMENT: Final = """\
[[instrument]]
kind = "modbus"
sensor = "{sensor}"
bus = "{bus}"
address = {address}
every_ms = {every_ms}
"""
CELL: Final = """\
[[instrument.cells]]
quantity = "{name}"
register = {register}
type = "f32"
play = {{ series = "{series}", decimals = {decimals} }}
"""


class Real:
    """The daemons, and the one process that plays all their sensors. Use it as a context."""

    def __init__(self, plan: Plan) -> None:
        self.ids = [
            MARK + plan.run.to_bytes(2, "big") + n.to_bytes(2, "big") for n in range(plan.real)
        ]
        self.directory = plan.directory / "real"
        self.truth = self.directory / "truth"
        self._plan = plan
        self._daemons: list[Child] = []
        self._stack = ExitStack()
        self._instruments: Child | None = None

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        scenario = self.directory / "scenario.toml"
        scenario.write_text("".join(self._write(n) for n in range(len(self.ids))))
        with ExitStack() as stack:
            words = ["edgenode.virtual", "--scenario", str(scenario), "--truth", str(self.truth)]
            words += ["--socket", str(self.directory / "wires")]
            words += ["--control", str(self.directory / "command")]
            self._instruments = stack.enter_context(Child("instruments", words, self.directory))
            self._instruments.wait_ready(READY_S)
            for n in range(len(self.ids)):
                words = ["edgenode", "run", "--config", str(self._config(n))]
                child = Child(f"daemon-{n}", words, self.directory)
                self._daemons.append(stack.enter_context(child))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def pids(self) -> list[int]:
        """Return the daemons' processes, without the one that plays their sensors."""
        return [child.process.pid for child in self._daemons if child.alive]

    def connected(self) -> int:
        """Return how many say that they have a session."""
        return sum(self._connected(n) for n, child in enumerate(self._daemons) if child.alive)

    def _connected(self, n: int) -> bool:
        try:
            status = ask(self._place(n) / "control.sock", "status", timeout_s=0.5)
        except NoDaemon:
            return False
        return bool((status.get("uplink") or {}).get("connected"))

    def stop(self) -> None:
        """End all daemons in good order; raises NodeError when one had ended before."""
        dead = [child for child in self._daemons if not child.alive]
        for child in self._daemons:
            if child.alive:
                child.process.terminate()
        for child in self._daemons:
            child.end(STOP_S)
        if dead:
            raise NodeError(f"{dead[0].name} ended before its time:\n{dead[0].last_words()}")

    def drain(self, seconds: float) -> bool:
        """Let each daemon send what it still holds; False where some could not."""
        until = time.monotonic() + seconds
        waiting, codes = deque(range(len(self._daemons))), list[int | None]()
        with ExitStack() as stack:
            running: list[Child] = []
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    left = max(1.0, until - time.monotonic())
                    running.append(stack.enter_context(self._drain(waiting.popleft(), left)))
                time.sleep(LOOK_S)
                codes += [child.process.returncode for child in running if not child.alive]
                running = [child for child in running if child.alive]
        return not any(codes)

    def _drain(self, n: int, seconds: float) -> Child:
        words = ["edgenode", "run", "--config", str(self._config(n)), "--drain"]
        return Child(f"drain-{n}", [*words, "--timeout", f"{seconds:.0f}"], self.directory)

    # --- files ---

    def _place(self, n: int) -> Path:
        return self.directory / str(n)

    def _config(self, n: int) -> Path:
        return self._place(n) / "node.toml"

    def _write(self, n: int) -> str:
        """Write the configuration of a daemon; return the tables of its instruments."""
        plan, place = self._plan, self._place(n)
        place.mkdir(exist_ok=True)
        text = NODE_TOML.format(
            node=self.ids[n].hex(),
            directory=place,
            commit_s=plan.commit_ms / 1000,
            window_s=plan.window_ms / 1000,
            offline_window_s=plan.offline_window_ms / 1000,
            prefix=plan.prefix,
            custody=plan.custody,
        )
        text += "".join(map(_broker, plan.brokers))
        tables = ""
        bus = f"r{n}"
        text += BUS.format(bus=bus, wires=self.directory / "wires")
        for first in range(0, plan.channels, TOGETHER):
            sensor, instrument = _part(plan, bus, range(first, plan.channels)[:TOGETHER])
            text, tables = text + sensor, tables + instrument
        self._config(n).write_text(text, encoding="utf-8")
        return tables


def _part(plan: Plan, bus: str, channels: range) -> tuple[str, str]:
    """Return the tables of a sensor, and of the Modbus slave that plays it, read in one request."""
    address = channels.start // TOGETHER + 1
    named = {"sensor": f"{bus}-{address}", "bus": bus, "address": address}
    sensor = SENSOR.format(**named, every_s=plan.every_ms / 1000, stamp_ms=STAMP_MS)
    instrument = INSTRUMENT.format(**named, every_ms=plan.every_ms)
    for place, channel in enumerate(channels):
        series, quantity, unit = PLAYED[channel % len(PLAYED)]
        told = {"name": f"{quantity}_{place}", "register": 2 * place}
        told |= {"series": series, "unit": unit, "decimals": decimals(load(series))}
        sensor += REGISTER.format(**told)
        instrument += CELL.format(**told)
    return sensor, instrument


def _broker(broker: Broker) -> str:
    lines = ["[[uplink.broker]]", f'host = "{broker.host}"', f"port = {broker.port}"]
    lines += [f"tls = {str(broker.tls).lower()}"]
    named = {"ca": broker.ca, "cert": broker.cert, "key": broker.key}
    named["password_file"] = broker.password_file
    lines += [f'{name} = "{path.resolve()}"' for name, path in named.items() if path is not None]
    lines += [f'username = "{broker.username}"'] if broker.username else []
    return "\n".join([*lines, ""])
