"""A node at its pole: virtual wires, the real daemon, a broker and a City OS, to be proved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgenode.cityos.brokers import CityBroker
from tests.support.daemons import Place
from tests.support.mosquitto import Mosquitto
from tests.support.ports import until
from tests.support.receiving import receiving

NODE = "0badcafe0003"
TOML = """\
schema = 1
[node]
id = "{node}"
state = "{directory}/state"
socket = "{directory}/control.sock"
[site]
name = "Test bench, second floor"
url = "https://city.example/n/3"
latitude = 52.5
longitude = 13.4
[clock]
{clock}
[spool]
cap_mb = 8
pregrow = false
commit_interval_s = 1
[[uplink.broker]]
host = "127.0.0.1"
port = {port}
tls = false
[[bus]]
name = "wire"
kind = "i2c"
path = "sim:{directory}/wires#wire"
[[sensor]]
name = "air"
driver = "bme280"
purpose = "weather of the test bench"
bus = "wire"
every_s = 0.5
address = 0x76
[[sensor]]
name = "shade"
driver = "sht4x"
purpose = "weather of the test bench"
bus = "wire"
every_s = 0.5
address = 0x44
"""
SCENARIO = """\
[[instrument]]
kind = "bme280"
sensor = "air"
bus = "wire"
temperature = { offset = 21.5 }
humidity = { offset = 48 }
pressure = { offset = 100800 }
[[instrument]]
kind = "sht4x"
sensor = "shade"
bus = "wire"
temperature = { offset = 21.0 }
humidity = { offset = 50 }
"""
VOUCHED = "manual_err_ms = 100"


class Pole(Place):
    """A node whose configuration has a key and, where asked for, a plan beside it."""

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(directory)
        self._port = port
        self.configure()
        (directory / "scenario.toml").write_text(SCENARIO)
        self.key = directory / "tls" / "node.key"
        self.key.parent.mkdir()
        assert shutil.which("openssl"), "openssl is missing: apt install openssl"
        made = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run([*made, "-out", str(self.key)], check=True, capture_output=True)

    def configure(self, *, clock: str = VOUCHED, also: str = "") -> None:
        """Write the configuration anew."""
        text = TOML.format(node=NODE, directory=self.directory, port=self._port, clock=clock)
        self.config.write_text(text + also)

    def plan(self, *sensors: tuple[str, str]) -> None:
        """Put the document of a provisioning beside the configuration."""
        rows = [{"name": name, "driver": driver, "bus": "wire"} for name, driver in sensors]
        document = {"version": 1, "serial": 7, "node": {"id": NODE}, "sensors": rows}
        self.config.with_name("node.json").write_text(json.dumps(document))

    def told(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run a verb with --json; return its exit code and its document."""
        code, out, err = self.ran(*words, "--json")
        assert out, err
        return code, json.loads(out)

    def ran(self, *words: str) -> tuple[int, str, str]:
        """Run a verb as somebody at the pole would; return its exit code and both outputs."""
        verb, *rest = words
        command = [sys.executable, "-m", "edgenode", verb, "--config", str(self.config), *rest]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout, done.stderr


@contextmanager
def stood(
    directory: Path, *, city: bool = True, clock: str = VOUCHED
) -> Iterator[tuple[Pole, Mosquitto, Path]]:
    """Yield a pole with a running daemon, its broker, and the file of its City OS."""
    db = directory / "city.sqlite"
    with Mosquitto(directory / "broker") as broker:
        pole = Pole(directory, broker.port)
        pole.configure(clock=clock)
        with pole.instruments(), pole.daemon():
            until(lambda: pole.sampled(2), "samples")
            if city:
                with receiving(db, [CityBroker("127.0.0.1", broker.port, tls=False)]):
                    yield pole, broker, db
            else:
                yield pole, broker, db
