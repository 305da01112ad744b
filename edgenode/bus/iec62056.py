"""IEC 62056-21, the reader's side: sign on, change the speed, and take the data readout in.

IEC 62056-21:2002: characters of 7 bits and even parity, the messages (request, identification,
acknowledgement, data), modes A, B and C, reaction after 200 to 1,500 ms, block check. The same
stands in pwitab/iec62056-21 (constants.py, messages.py) and aquaticus/esphome-iec62056.
A readout takes longer than a read may, so it goes on from one call of `feed` to the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from functools import reduce
from operator import xor
from typing import Final, NamedTuple

from edgenode.bus.parity import DAMAGED, with_parity, without_parity
from edgenode.bus.wires import SerialPort

STX, ETX = b"\x02", b"\x03"
BLOCK_MOST: Final = 16_384  # bytes; load profiles are not asked for
HEARD_MOST: Final = 256  # bytes before an identification
SIGN_ON: Final = b"/?!\r\n"
IDENTIFICATION: Final = re.compile(rb"/([A-Za-z]{3})([^\r\n])[^\r\n]{0,32}\r\n")
SWITCHED: Final = {code: 300 << n for n, code in enumerate(b"0123456")}  # mode C: 300 to 19200
UNASKED: Final = {code: 600 << n for n, code in enumerate(b"ABCDEF")}  # mode B: 600 to 19200
CHARACTER_BITS: Final = 10
REACTION_MS: Final = 200  # whoever answers waits so long
BEGINS_MS: Final = 4_000  # 1.5 s of reaction, the request, and the longest identification
SILENCE_MS: Final = 3_000  # within data 1.5 s are allowed; a busy node may be late
LUMP_S: Final = 0.03


class Blocks:
    """Cuts what a meter says into proved data blocks: STX, text, ETX, block check.

    It begins anywhere; what it keeps between calls is no longer than BLOCK_MOST.
    """

    def __init__(self) -> None:
        self._kept = b""

    def cut(self, data: bytes) -> list[bytes]:
        """Take in characters as they are sent; return the texts of the blocks, oldest first."""
        self._kept += without_parity(data)
        texts = []
        while (end := self._kept.find(ETX) + 1) and len(self._kept) > end:
            text, check = self._kept[:end].rpartition(STX)[2], self._kept[end]
            proved = STX in self._kept[:end] and DAMAGED not in text
            proved = proved and reduce(xor, text) == check
            if proved:
                texts.append(text[:-1])
            self._kept = self._kept[end + proved :]
        self._kept = self._kept[-BLOCK_MOST:]
        return texts

    def clear(self) -> None:
        """Forget the beginning of a block."""
        self._kept = b""


class Identification(NamedTuple):
    """What a meter says of itself at first, without the number that may follow."""

    maker: str  # three letters
    code: int  # of the speed that it proposes
    rest: bytes  # what came behind


def identification(heard: bytes) -> Identification | None:
    """Return the identification in what was heard (text without parity); None where none is."""
    found = IDENTIFICATION.search(heard)
    if found is None:
        return None
    return Identification(found[1].decode("ascii"), found[2][0], heard[found.end() :])


class Step(Enum):
    """Where a readout stands."""

    RESTING = 0
    SIGNED_ON = 1  # waiting for the identification
    IDENTIFIED = 2  # waiting until it may be answered
    READING = 3


class Reader:
    """Reads a meter out each `period_ms`, at `baud_most` at most; used by the thread of its bus.

    `feed` is to be called at least each 100 ms. After a failure it tries again after `again_ms`.
    """

    def __init__(self, port: SerialPort, period_ms: int, again_ms: int, baud_most: int) -> None:
        self._port = port
        self._period_ms, self._again_ms, self._baud_most = period_ms, again_ms, baud_most
        self._first_baud = self._baud = port.line.baud
        self._blocks = Blocks()
        self._step = Step.RESTING
        self._began_ms: int | None = None
        self._due_ms = self._heard_ms = 0
        self._heard = b""
        self._code = 0
        self.trouble = ""  # of the newest readout; empty where it came to a good end
        port.discard()

    def feed(self, now_ms: int) -> bytes | None:
        """Go on with the readout; return the text of the data block that has just ended.

        Raises BusError when the port is gone.
        """
        data = self._port.arrived()
        if self._step is Step.RESTING:
            self._sign_on(now_ms)
            return None
        if data:
            self._heard_ms = now_ms
        steps: dict[Step, Callable[[bytes, int], bytes | None]] = {
            Step.SIGNED_ON: self._signed_on,
            Step.IDENTIFIED: self._identified,
            Step.READING: self._reading,
        }
        return steps[self._step](data, now_ms)

    def _sign_on(self, now_ms: int) -> None:
        """Begin, where the time for it has come; what was said till then is not asked for."""
        if self._began_ms is not None and now_ms < self._due_ms:
            return
        self._began_ms = self._heard_ms = now_ms
        self._heard = b""
        self._blocks.clear()
        self._retune(self._first_baud)
        self._port.write(with_parity(SIGN_ON))
        self._step = Step.SIGNED_ON

    def _signed_on(self, data: bytes, now_ms: int) -> None:
        self._heard = (self._heard + without_parity(data))[-HEARD_MOST:]
        found = identification(self._heard)
        if found is None:
            if now_ms - (self._began_ms or 0) > BEGINS_MS:
                noise = self._heard.replace(SIGN_ON, b"")  # an optical head gives an echo
                self._fail("noise came, no identification" if noise else "no answer", now_ms)
            return
        self._code = found.code
        if found.code in SWITCHED:
            self._step, self._due_ms = Step.IDENTIFIED, now_ms + REACTION_MS
            return
        self._retune(UNASKED.get(found.code, self._first_baud))
        self._blocks.cut(with_parity(found.rest))
        self._step = Step.READING

    def _identified(self, data: bytes, now_ms: int) -> None:
        """Acknowledge, and change the speed when that is sent; an echo is over by then, too."""
        del data
        if now_ms < self._due_ms:
            return
        code = max(one for one, baud in SWITCHED.items() if baud <= self._limit())
        answer = with_parity(b"\x060%c0\r\n" % code)
        self._port.write(answer)
        sent_s = len(answer) * CHARACTER_BITS / self._baud
        self._port.receive(len(answer), sent_s + LUMP_S)
        self._retune(SWITCHED[code])
        self._step, self._heard_ms = Step.READING, now_ms

    def _reading(self, data: bytes, now_ms: int) -> bytes | None:
        texts = self._blocks.cut(data)
        if texts:
            self.trouble = ""
            self._rest((self._began_ms or 0) + self._period_ms, now_ms)
            return texts[-1]
        if now_ms - self._heard_ms > SILENCE_MS:
            self._fail("its data ended without a whole block", now_ms)
        elif now_ms - (self._began_ms or 0) > self._longest_ms():
            self._fail("its data did not end", now_ms)
        return None

    def _limit(self) -> int:
        return min(self._baud_most, SWITCHED[self._code])

    def _longest_ms(self) -> int:
        return BEGINS_MS + 2 * BLOCK_MOST * CHARACTER_BITS * 1000 // self._baud

    def _fail(self, words: str, now_ms: int) -> None:
        self.trouble = words
        self._rest(now_ms + self._again_ms, now_ms)

    def _rest(self, due_ms: int, now_ms: int) -> None:
        self._step, self._due_ms = Step.RESTING, max(due_ms, now_ms + REACTION_MS)

    def _retune(self, baud: int) -> None:
        if baud != self._baud:
            self._port.speed(baud)
            self._baud = baud
