"""`python -m edgenode.demo.broker PORT`: an MQTT broker on the loopback, for the demo only."""

from __future__ import annotations

import asyncio
import signal
import sys

from amqtt.broker import Broker

LOOPBACK = "127.0.0.1"


async def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT; prints `ready` once the port is open."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await broker.start()
    print("ready", flush=True)  # noqa: T201 - whoever started us waits for this line
    await stop.wait()
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
