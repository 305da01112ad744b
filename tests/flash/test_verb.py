"""`edgenode flash`: what it lists, asks and says, and with which code it leaves."""

from __future__ import annotations

import json
import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli import main
from edgenode.cli.flashing import stoppable
from tests.flash.machines import GB, ROOT, Tree, loop, nvme, usb


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A laptop with its disk and a card in a USB reader, on which the verb is run."""
    made = Tree(tmp_path / "machine")
    nvme(made)
    usb(made)
    made.seen("self", ROOT)
    monkeypatch.setattr("edgenode.flash.Machine", lambda: made.machine)
    return made


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What somebody will type, in order; then the input ends."""
    answers: list[str] = []

    def answer(question: str) -> str:
        print(question)  # noqa: T201 - as input() does
        if not answers:
            raise EOFError
        return answers.pop(0)

    monkeypatch.setattr("builtins.input", answer)
    return answers


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_alone_it_lists_all_devices_and_why_not(
    tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    usb(tree, "sdc", size=0)
    assert main(["flash"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "name     size      bus   serial          model",
        "sdb      32.0 GB   usb   121220160204    Generic STORAGE DEVICE",
        "nvme0n1  512.0 GB  nvme  S4ENNX0N123456  SAMSUNG MZVLB512HBJQ-000L7",
        "  ! nvme0n1 carries / of this machine",
        "  ! nvme0n1 is neither removable, MMC, USB nor a loop device",
        "  ! nvme0n1 has 512.0 GB, more than 256.0 GB (--largest GB)",
        "sdc      -         usb   121220160204    Generic STORAGE DEVICE",
        "  ! sdc has no card in it",
    ]


def test_the_list_is_one_object_with_json(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flash", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["format"] == 1
    assert found["devices"][0] == {
        "name": "sdb",
        "bytes": 32 * GB,
        "model": "Generic STORAGE DEVICE",
        "serial": "121220160204",
        "bus": "usb",
        "removable": True,
        "refused": [],
        "doubts": [],
    }
    assert "nvme0n1 carries / of this machine" in found["devices"][1]["refused"]


def test_an_image_without_a_device_is_wrong_usage(
    tree: Tree, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flash", str(image)]) == 2
    assert "name a device too" in capsys.readouterr().err


def test_yes_overrides_no_refusal(
    tree: Tree, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flash", str(image), "nvme0n1", "--yes"]) == 1
    err = capsys.readouterr().err
    assert "nvme0n1 carries / of this machine" in err
    assert "nvme0n1 is neither removable, MMC, USB nor a loop device" in err
    assert err.endswith("nothing was written\n")


def test_what_will_be_written_where_is_shown_before_the_question(
    tree: Tree, image: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flash", str(image), "sdb"]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        f"image   {image} (raw, for 13.6 MB or more; no .sha256 beside it)",
        "device  sdb (32.0 GB, usb, Generic STORAGE DEVICE, 121220160204)",
        "Everything on sdb will be lost. Type sdb to go on: ",
    ]
    assert "nobody answers; give --yes" in told.err


@pytest.mark.parametrize("answer", ["", "y", "yes", "sda", "SDB"])
def test_only_the_name_of_the_device_is_an_answer(
    tree: Tree, image: Path, typed: list[str], capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    typed.append(answer)
    assert main(["flash", str(image), "sdb"]) == 1
    assert "not confirmed\n  nothing was written" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["sdb", "/dev/sdb"])
def test_with_the_name_typed_it_opens_the_device(
    tree: Tree, image: Path, typed: list[str], capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    typed.append(answer)
    assert main(["flash", str(image), "sdb"]) == 1  # here it is a file, and not the device 8:16
    assert "/dev/sdb is not the device 8:16" in capsys.readouterr().err


@pytest.fixture
def doubted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The serial of a USB disk that is not flagged removable."""
    made = Tree(tmp_path / "doubted")
    usb(made, removable="0")
    monkeypatch.setattr("edgenode.flash.Machine", lambda: made.machine)
    return "121220160204"


def test_the_serial_of_a_doubted_device_is_not_shown_where_it_is_asked_for(
    doubted: str, image: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["flash", str(image), "sdb"])
    question = capsys.readouterr().out.splitlines()[-1]
    assert question == (
        "sdb: it is a USB disk, not a card or a stick. Type its serial (edgenode flash lists it): "
    )


def test_a_wrong_serial_ends_it_and_the_right_one_leads_to_the_name(
    doubted: str, image: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed.append("sdb")
    assert main(["flash", str(image), "sdb"]) == 1
    assert "that is not the serial of sdb" in capsys.readouterr().err
    typed[:] = [doubted, "no"]
    assert main(["flash", str(image), "sdb"]) == 1
    assert "not confirmed" in capsys.readouterr().err


def test_yes_does_not_answer_for_a_serial(
    doubted: str, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["flash", str(image), "sdb", "--yes"]
    assert main(words) == 1
    assert "give its serial by --serial" in capsys.readouterr().err
    assert main([*words, "--serial", "1"]) == 1
    assert "that is not the serial of sdb" in capsys.readouterr().err
    assert main([*words, "--serial", doubted]) == 1
    assert "is not the device 8:16" in capsys.readouterr().err


def test_a_serial_that_is_given_holds_for_a_device_that_nobody_doubts_too(
    tree: Tree, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["flash", str(image), "sdb", "--yes", "--serial"]
    assert main([*words, "of another card"]) == 1
    assert "that is not the serial of sdb\n  nothing was written" in capsys.readouterr().err
    assert main([*words, "121220160204"]) == 1
    assert "is not the device 8:16" in capsys.readouterr().err


def test_a_doubted_device_without_a_serial_is_known_by_its_size(
    tree: Tree, image: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    loop(tree, size=80 * GB)
    typed.append(str(80 * GB))
    assert main(["flash", str(image), "loop0"]) == 1
    told = capsys.readouterr()
    assert "Type its size in bytes (edgenode flash --json lists it): " in told.out
    assert "nobody answers" in told.err


def test_a_loop_device_made_of_the_image_itself_is_refused(
    tree: Tree, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop(tree, backing=str(image))
    (other := image.with_name("other.img")).hardlink_to(image)
    for name in (image, other):
        assert main(["flash", str(name), "loop0", "--yes"]) == 1
        assert "loop0 is made of" in capsys.readouterr().err
    other.unlink()


@pytest.mark.parametrize("number", ["0", "-1", "2.5", "many"])
def test_the_largest_size_is_a_number(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["flash", f"--largest={number}"])
    assert left.value.code == 2
    assert "a whole number of GB" in capsys.readouterr().err


def test_with_json_questions_go_to_the_error_output(
    tree: Tree, image: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flash", str(image), "sdb", "--json"]) == 1
    told = capsys.readouterr()
    assert [one["event"] for one in objects(told.out)] == ["plan", "failed"]
    assert "Type sdb to go on" in told.err


def test_a_document_that_is_none_is_refused_before_anything_is_written(
    tree: Tree, image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    node = tmp_path / "node.json"
    node.write_text('{"version": 1, "nod": 2}')
    assert main(["flash", str(image), "sdb", "--yes", "--node", str(node)]) == 2
    assert "did you mean 'node'" in capsys.readouterr().err


def test_a_private_key_is_no_key_to_trust(
    tree: Tree, image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = tmp_path / "city.key"
    trust.write_text("-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n")
    assert main(["flash", str(image), "sdb", "--yes", "--trust", str(trust)]) == 2
    assert "no public key in PEM" in capsys.readouterr().err


@pytest.mark.parametrize(("handler", "ends"), [(signal.SIG_DFL, True), (signal.SIG_IGN, False)])
def test_a_lost_terminal_ends_it_unless_it_was_started_under_nohup(
    *, handler: signal.Handlers, ends: bool
) -> None:
    before = signal.signal(signal.SIGHUP, handler)
    try:
        with pytest.raises(KeyboardInterrupt) if ends else nullcontext(), stoppable():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == handler
    finally:
        signal.signal(signal.SIGHUP, before)
