"""PyPMS as somebody else's decoder of the frames of particle and CO2 sensors."""

from __future__ import annotations

from typing import Any


def observed(sensor: str, frame: bytes, command: str = "passive_read") -> Any:
    """Return the observation that PyPMS makes of a whole frame."""
    from loguru import logger  # noqa: PLC0415 - an oracle is loaded when it is asked
    from pms.core import Sensor  # noqa: PLC0415

    logger.disable("pms")
    part: Any = Sensor
    kind = part[sensor]
    return kind.Data(1, *kind.Message.decode(frame, kind.command(command)))
