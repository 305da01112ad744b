"""From an empty card to a node that the city has seen, by the commands of docs/install.md alone."""

from __future__ import annotations

import json
import lzma
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deploy.deb.build import version_of
from deploy.deb.target import targets
from edgenode.virtual.control import send_command
from tests.flash.images import MIB, PLACES, make_image
from tests.install.hands import Hands
from tests.install.machine import TRIAL, Machine, machine
from tests.install.page import Step, commands, section, steps
from tests.install.place import NODE, TOKEN, Place, place, wires
from tests.support.disks import loop_device, run
from tests.support.pki import Ca
from tests.support.ports import until
from tests.systemd.container import ROOT

pytestmark = [pytest.mark.root, pytest.mark.timeout(120)]
IMAGE = "edgenode-0.1.0-arm64.img.xz"
# What the page's places are here. The machine has no NTP; a spool of 256 MB would only take time.
HERE = "--set clock.manual_err_ms=100 --set spool.cap_mb=8"


def furnished(office: Path) -> None:
    """Lay there what step 0 of the page wants: token, SSH key, image with its checksum."""
    (office / "token").write_text(f"{TOKEN}\n")
    public = Ed25519PrivateKey.generate().public_key()
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    (office / "installer.pub").write_text(f"{line} installer\n")
    (office / "made").mkdir()
    raw = make_image(office / "made").read_bytes()
    (office / IMAGE).write_bytes(lzma.compress(raw, preset=0))
    with (office / f"{IMAGE}.sha256").open("w") as file:
        subprocess.run(["sha256sum", IMAGE], cwd=office, stdout=file, check=True)


def instead(city: Place, card: str) -> dict[str, str]:
    """Return what stands in place of the page's own names, by regular expression."""
    wire = f"sim:{TRIAL}/wires#i2c1"
    return {
        r"\bsdb\b": Path(card).name,
        r"https://est\.city\.example:8443": city.est.url,
        r"mqtt\.city\.example": "localhost",
        r"\b8883\b": str(city.broker.port),
        r"scan /dev/i2c-1": f"scan 'i2c={wire}'",
        r"/dev/i2c-1": wire,
        r"provision new ": f"provision new {HERE} ",
    }


def powered(node: Machine, step: Step) -> None:
    """Switch the node on; the page says what stands on its boot partition then."""
    node.power_on()
    told(node, step)


def told(node: Machine, step: Step) -> None:
    """The document was taken, and the partition says so in the words of the page."""
    boot = node.root / "boot/firmware"
    first = (boot / "status.txt").read_text().splitlines()[0]
    assert f"`{first}`" in step.text
    assert not (boot / "node.json").exists()


def unplugged(hands: Hands, step: Step) -> None:
    """Look for a sensor that is not plugged in, and plug it in again."""
    scan = next(command for command in step.commands if " scan " in command)
    control = hands.node.trial / "command"
    send_command(control, "square", "vanish")
    hands.node.stopped()
    hands.fails(step, hands.here(scan))
    send_command(control, "square", "return")


def fetched(hands: Hands, step: Step) -> None:
    """Fetch label, sign and certificate, and hold the phone's camera over the label."""
    hands.do(step, seen=lambda: run("zbarimg", "--quiet", "--raw", hands.office / "label.png"))
    assert (hands.office / "pole.pdf").read_bytes().startswith(b"%PDF-")


def test_the_page_takes_an_empty_card_to_a_node_that_the_city_has_seen(tmp_path: Path) -> None:
    assert shutil.which("zbarimg"), "zbarimg is missing: apt install zbar-tools"
    todo = {step.number: step for step in steps()}
    with (
        place(tmp_path) as city, machine(tmp_path / "node") as node, wires(node.trial),
        empty_card(tmp_path) as card,
    ):  # fmt: skip
        furnished(city.office)
        hands = Hands(city.office, node, card, instead(city, card))
        for number in range(1, 6):
            hands.do(todo.pop(number))
        node.insert(card)
        powered(node, todo.pop(6))
        hands.do(todo.pop(7), patient=True)
        unplugged(hands, todo[8])
        for number in range(8, 11):
            hands.do(todo.pop(number))
        fetched(hands, todo.pop(11))
        hands.do(todo[12], patient=True)
        hands.fails(todo[12], todo.pop(12).commands[-1].replace("node.pem", "receiver.crt"))
        assert not todo
        assert city.est.log[-1] == ("simpleenroll", 200)
        assert answers(city.office) == {"installer": "B-17", "mounting": "photo 12", "lamp": ""}


def test_a_machine_with_debian_takes_the_same_document(tmp_path: Path) -> None:
    with place(tmp_path) as city, machine(tmp_path / "node") as node, wires(node.trial):
        furnished(city.office)
        hands = Hands(city.office, node, "", instead(city, ""))
        todo = {step.number: step for step in steps()}
        for number in (1, 3, 4):
            hands.do(todo[number])
        installed(node)
        home = node.root / "home/maintainer"
        shutil.copy(city.office / "node.json", home)
        shutil.copy(city.office / "city.key.pub", home / "city.pub")
        hands.log_in()
        text = section("On a machine with Debian")
        apt, *others = commands(text)
        assert apt == f"sudo apt install ./{package()}"
        for command in others:
            assert hands.typed(command).returncode == 0, command
        assert f"`{(home / 'status.txt').read_text().splitlines()[0]}`" in text
        assert not (home / "node.json").exists()
        hands.do(todo[7], patient=True)
        hands.do(todo[9])
        assert refused(city.office) == [], "what it measured under its first id stays where it is"


def refused(office: Path) -> list[str]:
    """Return what the receiver did not take, and why."""
    with closing(sqlite3.connect(office / "city.db")) as db:
        assert db.execute("SELECT count(*) FROM raw").fetchone() > (0,)
        return [row[0] for row in db.execute("SELECT detail FROM refused")]


def installed(node: Machine) -> None:
    """Have what `apt install` leaves: a first configuration with a random id, and its daemon."""
    debian = ROOT / "deploy/deb/debian"
    there = node.root / "usr/share/edgenode"
    there.mkdir()
    shutil.copy(debian / "first.toml", there)
    shutil.copy(debian / "first-configuration", there)
    assert node.ran("sudo sh /usr/share/edgenode/first-configuration").returncode == 0
    node.started("edgenode")
    until(lambda: "no broker is named" in node.ran("edgenode status").stdout, "it samples")


def package() -> str:
    """Return the name of the package for Debian 12 on a PC."""
    [target] = targets((12,), ("amd64",))
    return f"edgenode_{version_of(target)}_{target.architecture}.deb"


def test_without_linux_the_files_are_copied_by_hand(tmp_path: Path) -> None:
    office = tmp_path / "office"
    office.mkdir()
    furnished(office)
    with machine(tmp_path / "node") as node, empty_card(tmp_path) as card:
        hands = Hands(office, node, card, {})
        (office / "city-ca.pem").write_text(Ca().trust)
        for number in (1, 3):
            hands.do(steps()[number - 1])
        Path(card).write_bytes(lzma.decompress((office / IMAGE).read_bytes()))  # any imager
        for ours, theirs in (("node.json", "node.json"), ("city.key.pub", "city.pub")):
            words = section("Without Linux")
            assert f"`{ours}`" in words
            assert f"`{theirs}`" in words
            run("mcopy", "-i", f"{card}@@{PLACES[1][0] * MIB}", office / ours, f"::{theirs}")
        node.insert(card)
        node.started("edgenode-firstboot")
        told(node, steps()[5])
        hands.log_in()
        hands.fails(steps()[6], "sudo edgenode certificate")


def test_what_goes_wrong_in_the_office_is_said_in_the_words_of_the_page(tmp_path: Path) -> None:
    furnished(tmp_path)
    (tmp_path / "city-ca.pem").write_text(Ca().trust)
    with machine(tmp_path / "node") as node, empty_card(tmp_path) as card:
        hands = Hands(tmp_path, node, "nothing", {r"\bsdb\b": Path(card).name})
        for step in steps()[:4]:
            hands.do(step)
        key, image, _, check, flash = steps()[:5]
        hands.fails(key, key.commands[0])
        assert hands.typed("edgenode provision key other.key").returncode == 0
        hands.fails(check, check.commands[0].replace("city.key.pub", "other.key.pub"))
        hands.fails(flash, hands.here(flash.commands[1]))  # another name is typed than the card's
        (tmp_path / IMAGE).write_bytes(b"cut off")
        hands.fails(image, image.commands[0])


@contextmanager
def empty_card(work: Path) -> Iterator[str]:
    """A card of 64 MiB that is a loop device."""
    path = work / "card"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    with loop_device(path) as card:
        yield card


def answers(office: Path) -> Any:
    """Return what the city knows of the questions that were asked at the pole."""
    words = ["cityos", "commissioned", NODE, "--db", "city.db", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "edgenode", *words], cwd=office, stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)["record"]["answers"]
