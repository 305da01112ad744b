"""GPIO lines over the kernel's character device, uAPI v2: edges as the kernel counts them."""

from __future__ import annotations

import os
import struct
from typing import Final

from edgenode.bus.request import get_value, input_config, request_line
from edgenode.bus.wires import Bias, Edge, LineEvent
from edgenode.errors import BusError

EVENT: Final = struct.Struct("<QIIII24x")  # timestamp, id, offset, seqno, line_seqno, padding
EVENTS_PER_READ: Final = 1024


class EventReader:
    """The reading half of a line: a descriptor that yields 48-byte events. Owns the descriptor."""

    def __init__(self, descriptor: int, where: str) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor, self._where = descriptor, where
        self._line_seqno = 0

    @property
    def line_seqno(self) -> int:
        return self._line_seqno

    @property
    def inherited(self) -> int | None:
        return None

    def keep(self, total: int) -> None:
        """No store, nothing to hand over."""

    def fileno(self) -> int:
        return self._descriptor

    def level(self) -> bool:
        return get_value(self._descriptor, self._where)

    def events(self) -> list[LineEvent]:
        try:
            data = os.read(self._descriptor, EVENT.size * EVENTS_PER_READ)
        except BlockingIOError:
            return []
        except OSError as exc:
            raise BusError(f"{self._where}: {exc.strerror or exc}; is the chip gone?") from exc
        if not data or len(data) % EVENT.size:
            raise BusError(f"{self._where}: the line ended; is the chip gone?")
        events = [LineEvent._make(fields) for fields in EVENT.iter_unpack(data)]
        self._line_seqno = events[-1].line_seqno
        return events

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class KernelLine(EventReader):
    """An EdgeLine of a real chip; the kernel counts and debounces."""

    def __init__(
        self, path: str, offset: int, edge: Edge, bias: Bias, debounce_us: int, event_buffer: int
    ) -> None:
        config = input_config(edge, bias, debounce_us)
        descriptor = request_line(path, offset, config, event_buffer)
        super().__init__(descriptor, f"{path} line {offset}")
