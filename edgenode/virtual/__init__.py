"""Virtual instruments at the level of bytes on a wire, for demonstration and tests.

They share nothing with the drivers but the wires, so a driver that reads them right is right.
"""

from edgenode.virtual.scenario import Scenario, parse
from edgenode.virtual.server import Server, send_command

__all__ = ["Scenario", "Server", "parse", "send_command"]
