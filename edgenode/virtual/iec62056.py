"""A meter behind an optical head: what IEC 62056-21 says that it answers, at the speed it says.

Modes A (all at 300 baud) and C (the speed changes after the acknowledgement). Characters have 7
bits and even parity; it waits a quarter of a second before each answer, and speaks no faster than
its speed allows.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from msgspec import Meta

from edgenode.virtual.kinds import Action, Period, Table
from edgenode.virtual.playing import Playing
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

FIRST_BAUD: Final = 300
REACTION_NS: Final = 250_000_000
TICK_NS: Final = 50_000_000  # so often it says what its speed allows
HEARD_MOST: Final = 64
SPEEDS: Final = {300: "0", 600: "1", 1200: "2", 2400: "3", 4800: "4", 9600: "5", 19200: "6"}
ACKNOWLEDGED: Final = re.compile(rb"\x060([0-6])0\r\n")
SEED: Final = 1107  # garbage is random but the same every time


class Iec62056Spec(Table, frozen=True, tag_field="kind", tag="iec62056"):
    """[[instrument]] kind = "iec62056": a load, one row of its series each `every_ms`.

    Energy grows by the value of each row, in kWh; two tariffs take turns, 100 rows each.
    """

    sensor: str
    bus: str = "optical"
    mode: Literal["A", "C"] = "C"
    proposes: Literal[300, 600, 1200, 2400, 4800, 9600, 19200] = 9600
    echo: bool = True  # as most optical heads give
    every_ms: Period = 1000
    energy_from: Annotated[float, Meta(ge=0)] = 1234.567
    energy: Play = Play("utility_power:E_counter", gain=0.001, cumulative=True)
    power: Play = Play("utility_power:P", gain=1000, decimals=0)
    voltage: Play = Play("utility_power:U", decimals=1)


class VirtualIEC62056(Playing):
    """One meter that answers to a request; logs each register of each readout."""

    def __init__(self, spec: Iec62056Spec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec = spec
        self.baud = self._next_baud = FIRST_BAUD
        self._heard = self._saying = b""
        self._due_ns = start_ns
        self._counted = 0  # rows whose energy is in the totals
        self._totals = [spec.energy_from, 0.0]

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to misbehave, or return; the totals are kept without power."""
        super().act(action, now_ns)
        self._power_up(now_ns)

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Take requests in, as they come with their parity; return the echo of the head."""
        self._heard = (self._heard + bytes(code & 0x7F for code in data))[-HEARD_MOST:]
        if self._heard.endswith(b"/?!\r\n"):
            self._identify(now_ns)
        elif (asked := ACKNOWLEDGED.search(self._heard)) and self.spec.mode == "C":
            baud = next(one for one, code in SPEEDS.items() if code == asked[1].decode())
            if baud <= self.spec.proposes:
                self._begin(self._block(now_ns), baud, now_ns)
        return data if self.spec.echo and self._fate == "ok" else b""

    def next_ns(self) -> int | None:
        """Return when it goes on; None while it rests."""
        return self._due_ns if self._saying or self.baud != FIRST_BAUD else None

    def speak(self, now_ns: int) -> bytes:
        """Return what its speed allowed it to say up to now; then it goes back to 300 baud."""
        if not self._saying and self._due_ns <= now_ns:
            self.baud = FIRST_BAUD
        said = b""
        while self._saying and self._due_ns <= now_ns:
            self.baud = self._next_baud
            share = max(1, self.baud * TICK_NS // 10_000_000_000)
            said += self._saying[:share]
            self._saying = self._saying[share:]
            self._due_ns += TICK_NS
        if self._fate == "garbage":
            return self._random.randbytes(len(said))
        return said if self._fate == "ok" else b""

    def _power_up(self, now_ns: int) -> None:
        self._heard = self._saying = b""
        self._due_ns = now_ns
        self.baud = self._next_baud = FIRST_BAUD

    def _begin(self, text: bytes, baud: int, now_ns: int) -> None:
        self._heard, self._saying = b"", _even(text)
        self._next_baud, self._due_ns = baud, now_ns + REACTION_NS

    def _identify(self, now_ns: int) -> None:
        code = SPEEDS[self.spec.proposes] if self.spec.mode == "C" else " "
        text = f"/EDG{code}MT-12345678\r\n".encode("ascii")
        self.baud = FIRST_BAUD
        self._begin(text + (self._block(now_ns) if self.spec.mode == "A" else b""), 300, now_ns)

    def _block(self, now_ns: int) -> bytes:
        row = self._row(now_ns)
        while self._counted < row:
            tariff = self._counted // 100 % 2
            self._totals[tariff] += max(0.0, self.spec.energy.value(self._counted))
            self._counted += 1
        power, volts = self.spec.power.value(row) / 1000, self.spec.voltage.value(row)
        lines = [
            "F.F(00000000)",
            "0.0.0(12345678)",
            self._register("1.8.0", "import_energy", f"{sum(self._totals):011.3f}", "kWh", now_ns),
            f"1.8.0*01({self.spec.energy_from:011.3f}*kWh)",
            *(
                self._register(f"1.8.{n}", f"import_energy_t{n}", f"{kwh:011.3f}", "kWh", now_ns)
                for n, kwh in enumerate(self._totals, 1)
            ),
            self._register("1.7.0", "import_power", f"{max(0.0, power):06.3f}", "kW", now_ns),
            self._register("32.7.0", "voltage_l1", f"{volts:05.1f}", "V", now_ns),
        ]
        body = ("".join(f"{line}\r\n" for line in lines) + "!\r\n").encode("ascii") + b"\x03"
        check = 0
        for code in body:
            check ^= code
        return b"\x02" + body + bytes((check,))

    def _register(self, code: str, name: str, text: str, unit: str, now_ns: int) -> str:
        value = float(text) * (1000 if unit == "kW" else 1)
        self._note(name, round(value, 3), now_ns, self._fate)
        return f"{code}({text}*{unit})"


def _even(text: bytes) -> bytes:
    """Return the characters as the wire carries them: with the parity that makes them even."""
    return bytes(code | (0x80 if code.bit_count() % 2 else 0) for code in text)
