"""The wires as drivers see them: small protocols, and the adapters that speak to the kernel.

A bus path is `/dev/i2c-N`, a serial port, `/dev/gpiochipN`, `/` for the kernel's own files, or
`sim:SOCKET[#BUS]` for virtual instruments.
"""

from edgenode.bus.adapters import I2CBus
from edgenode.bus.edges import ActiveTime, CountedEdge, EdgeCount
from edgenode.bus.opening import (
    i2c_answers,
    open_i2c,
    open_lamp,
    open_line,
    open_state,
    open_states,
    open_tree,
)
from edgenode.bus.serial import SerialBus
from edgenode.bus.store import Kept, LineStore, line_name
from edgenode.bus.wires import (
    Bias,
    Edge,
    EdgeLine,
    I2CDevice,
    I2CPlace,
    Lamp,
    LineEvent,
    NamedChange,
    SerialPort,
    StateChange,
    StateLine,
    StateLines,
    Tree,
)

__all__ = [
    "ActiveTime",
    "Bias",
    "CountedEdge",
    "Edge",
    "EdgeCount",
    "EdgeLine",
    "I2CBus",
    "I2CDevice",
    "I2CPlace",
    "Kept",
    "Lamp",
    "LineEvent",
    "LineStore",
    "NamedChange",
    "SerialBus",
    "SerialPort",
    "StateChange",
    "StateLine",
    "StateLines",
    "Tree",
    "i2c_answers",
    "line_name",
    "open_i2c",
    "open_lamp",
    "open_line",
    "open_state",
    "open_states",
    "open_tree",
]
