"""docs/city-os.md, "PostgreSQL, in an afternoon": what it tells to type is typed here."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.cityos.city import utc_ms
from edgenode.reading import Anchor, ClockSource
from tests.support.mosquitto import Mosquitto
from tests.support.node_client import wire
from tests.support.ports import until
from tests.support.postgres import Postgres, find
from tests.support.sender import Sender

TEXT = (Path(__file__).parents[2] / "docs/city-os.md").read_text(encoding="utf-8")
PASSWORDS = {"city": "choose one", "platform": "and another"}


def blocks() -> list[str]:
    """Return what is to be typed, in its order."""
    section = TEXT.split("\n## PostgreSQL, in an afternoon\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^ {4}.*\n)+", section, flags=re.MULTILINE)
    assert len(found) == 4
    return found


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


def type_in(postgres: Postgres, text: str, database: str, user: str = "") -> str:
    """Type into psql, as its administrator or as a role with its password."""
    url = postgres.url(database)
    if user:
        url = f"postgresql://{user}@127.0.0.1:{postgres.port}/{database}"
    return subprocess.run(
        [find("psql"), "-X", "-v", "ON_ERROR_STOP=1", "-At", url], input=text, text=True,
        check=True, capture_output=True, env={"PGPASSWORD": PASSWORDS.get(user, "")},
    ).stdout  # fmt: skip


def test_a_platform_connects_by_what_the_page_says(
    postgres: Postgres, broker: Mosquitto, sender: Sender, tmp_path: Path
) -> None:
    roles, receive, rights, questions = blocks()
    type_in(postgres, roles, "postgres")
    secret = tmp_path / "db-secret"
    secret.write_text(PASSWORDS["city"] + "\n", encoding="utf-8")
    words = shlex.split(receive.replace("\\\n", " "))
    assert words[:3] == ["edgenode", "cityos", "receive"]
    given = {
        "mqtt.example.org": f"127.0.0.1:{broker.port}", "db-secret": str(secret),
        "postgresql://city@db.example.org/city": f"postgresql://city@127.0.0.1:{postgres.port}/city",
    }  # fmt: skip
    ours = [*words[1 : words.index("--ca")], "--no-tls", *words[words.index("--db") :]]
    with subprocess.Popen(
        [sys.executable, "-m", "edgenode", *(given.get(word, word) for word in ours)],
        stdout=subprocess.PIPE,
    ) as receiver:  # fmt: skip
        assert receiver.stdout is not None
        assert receiver.stdout.readline().startswith(b"ready: ")
        type_in(postgres, rights, "city")
        now = Anchor(0, utc_ms() - 5_000, ClockSource.NTP, 5)
        with wire(broker.port, sender) as node:
            node.publish([sender.birth_message(), sender.batch((1_000,), anchors=[now])])
            until(lambda: node.acked(1), "an ack")
        until(
            lambda: "air/temperature|20|Cel" in type_in(postgres, questions, "city", "platform"),
            "the reading, asked for as the page says",
        )
        with pytest.raises(subprocess.CalledProcessError) as refused:
            type_in(postgres, "DELETE FROM edgenode.raw", "city", "platform")
        assert "permission denied" in refused.value.stderr
        receiver.send_signal(signal.SIGTERM)
        assert receiver.wait(10) == 0
