"""The wires as drivers see them: small protocols, and the adapters that speak to the kernel.

A bus path is `/dev/i2c-N`, `/dev/gpiochipN`, or `sim:SOCKET[#BUS]` for virtual instruments.
"""

from edgenode.bus.opening import open_i2c, open_line
from edgenode.bus.wires import Bias, Edge, EdgeLine, I2CDevice, LineEvent

__all__ = ["Bias", "Edge", "EdgeLine", "I2CDevice", "LineEvent", "open_i2c", "open_line"]
