"""edgenode: the daemon that turns sensors on a street corner into durable, forwarded readings."""

__version__ = "0.1.0"
