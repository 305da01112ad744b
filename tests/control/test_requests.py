"""What may be asked, by whom, and what is refused in words."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture

from edgenode.control import REQUESTS, BadRequest, Control, Refused, ask, server, unknown, verbs_of
from edgenode.control.exchange import MAX_ANSWER
from edgenode.control.server import OVERFLOW, SLOW_MOST, may_change
from edgenode.errors import NodeError
from tests.support.serving import Serve, raw


def test_an_answer_gets_the_arguments_that_were_sent(serve: Serve) -> None:
    path = serve(why=lambda arguments: {"asked": dict(arguments)})
    assert ask(path, "why", channel="air/t") == {"asked": {"channel": "air/t"}}


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("why", {}, "wants channel"),
        ("why", {"channel": ""}, "channel must be text of 1 to 129"),
        ("why", {"channel": "x" * 130}, "channel must be text"),
        ("why", {"channel": "a\x1b[2J"}, "printable"),
        ("why", {"channel": 7}, "channel must be text"),
        ("why", {"channel": "a/b", "chanel": 1}, "has no argument 'chanel'; it takes: channel"),
        ("history", {"limit": 0}, "limit must be a whole number, 1 to 1000"),
        ("history", {"limit": True}, "limit must be a whole number"),
        ("history", {"since_utc_ms": 1.5}, "since_utc_ms must be a whole number"),
        ("status", {"x": 1}, "it takes: none"),
        ("nonsense", {}, "no such verb; known: why, history, status"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence_and_reaches_no_answer(
    serve: Serve, verb: str, arguments: dict[str, Any], said: str
) -> None:
    reached: list[object] = []

    def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
        reached.append(given)
        return {}

    path = serve(why=answer, history=answer, status=answer)
    with pytest.raises(BadRequest) as refused:
        ask(path, verb, **arguments)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert reached == []


def test_json_that_is_nested_beyond_reason_is_refused(serve: Serve) -> None:
    path = serve(status=lambda _: {})
    assert json.loads(raw(path, b"[" * 4000 + b"\n"))["kind"] == "usage"


def test_an_error_of_an_answer_is_told_with_its_kind(serve: Serve) -> None:
    def nobody(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise unknown("channel", "air/tempratur", ["air/temperature", "air/humidity"])

    def broken(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise NodeError("the disk is gone")

    path = serve(why=nobody, status=broken)
    with pytest.raises(BadRequest, match="did you mean 'air/temperature'"):
        ask(path, "why", channel="x")
    with pytest.raises(Refused, match="the disk is gone") as failed:
        ask(path, "status")
    assert failed.value.kind == "failed"


def test_a_name_like_no_other_is_told_with_those_that_are_known() -> None:
    assert str(unknown("sensor", "qqq", ["b", "a"])) == "no sensor 'qqq'; known: a, b"
    many = [f"n{n:02}" for n in range(23)]
    assert str(unknown("sensor", "qqq", many)).endswith("n18, n19, and 3 more")


def test_a_sensor_in_place_of_a_channel_is_answered_with_its_channels() -> None:
    known = ["air/temperature", "air/humidity", "airy/pm1"]
    said = str(unknown("channel", "air", known))
    assert said == "no channel 'air'; known: air/humidity, air/temperature"


def test_a_defect_costs_its_answer_and_not_the_daemon(serve: Serve) -> None:
    def defect(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ZeroDivisionError

    path = serve(sensors=defect, why=lambda _: {"set": {1}}, status=lambda _: {"well": True})
    asked: list[tuple[str, dict[str, Any]]] = [("sensors", {}), ("why", {"channel": "a/b"})]
    for verb, arguments in asked:
        with pytest.raises(Refused, match="a defect of edgenode"):
            ask(path, verb, **arguments)
    assert ask(path, "status") == {"well": True}


def test_an_answer_beyond_the_limit_is_an_error_instead(serve: Serve) -> None:
    path = serve(status=lambda _: {"x": "y" * MAX_ANSWER})
    with pytest.raises(Refused, match="more than 1 MiB"):
        ask(path, "status")


@pytest.mark.parametrize(
    ("uid", "own", "may"),
    [(0, 990, True), (990, 990, True), (1000, 990, False), (OVERFLOW, OVERFLOW, False)],
)
def test_root_and_the_daemons_own_user_may_change(uid: int, own: int, may: bool) -> None:  # noqa: FBT001 - a row of a table
    assert may_change(uid, own) is may


def test_who_may_only_read_is_told_to_ask_as_root(serve: Serve, mocker: MockerFixture) -> None:
    asked: list[object] = []

    def note(given: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(given)
        return {}

    path = serve(maintenance=note, status=lambda _: {})
    mocker.patch.object(server, "peer_uid", return_value=os.geteuid() + 1)
    with pytest.raises(Refused, match="sudo edgenode") as denied:
        ask(path, "maintenance", minutes=5)
    assert denied.value.kind == "denied"
    assert asked == []
    assert ask(path, "status") == {}


def test_the_kernel_says_who_asks(serve: Serve) -> None:
    path = serve(maintenance=lambda given: {"minutes": given["minutes"]})
    assert ask(path, "maintenance", minutes=5) == {"minutes": 5}, "our own user may change"


@pytest.mark.root
def test_another_user_of_the_machine_may_read_and_not_change() -> None:
    place = Path(tempfile.mkdtemp())
    try:
        place.chmod(0o755)
        control = Control(
            place / "s", verbs_of({"status": lambda _: {}, "maintenance": lambda _: {}})
        )
        control.start()
        (place / "s").chmod(0o666)  # as if this user were of the group
        with closing(control):
            said = [
                subprocess.run(
                    [sys.executable, "-c", PEER, str(place / "s"), verb],
                    capture_output=True, check=True, text=True,
                ).stdout
                for verb in ('{"verb": "status"}', '{"verb": "maintenance", "minutes": 1}')
            ]  # fmt: skip
    finally:
        shutil.rmtree(place)
    assert json.loads(said[0]) == {}
    assert json.loads(said[1])["kind"] == "denied"


PEER = """
import os, socket, sys
os.setuid(12345)
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
peer.sendall(sys.argv[2].encode() + b"\\n")
print(peer.makefile().readline())
"""


class Gate:
    """An answer that takes as long as a test wants."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self.entered.release()
        self.opened.wait(30)
        return {"read": True}


def asking(path: Path, answers: list[object]) -> threading.Thread:
    def run() -> None:
        try:
            answers.append(ask(path, "read", timeout_s=30, sensor="air"))
        except NodeError as exc:
            answers.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_slow_read_keeps_nobody_waiting_and_a_third_one_is_told_to_come_back(
    serve: Serve,
) -> None:
    gate, answers = Gate(), []  # type: tuple[Gate, list[object]]
    path = serve(read=gate, status=lambda _: {"well": True})
    threads = [asking(path, answers) for _ in range(SLOW_MOST)]
    for _ in threads:
        assert gate.entered.acquire(timeout=10)
    began = time.monotonic()
    assert ask(path, "status") == {"well": True}
    assert time.monotonic() - began < 1
    with pytest.raises(Refused, match="try again") as busy:
        ask(path, "read", sensor="air")
    assert busy.value.kind == "busy"
    gate.opened.set()
    for thread in threads:
        thread.join(10)
    assert answers == [{"read": True}] * SLOW_MOST
    assert ask(path, "read", sensor="air") == {"read": True}, "the places are free again"


def test_a_read_that_does_not_return_is_answered_in_time(
    serve: Serve, mocker: MockerFixture
) -> None:
    mocker.patch.object(server, "SLOW_S", 0.05)
    gate = Gate()
    path = serve(read=gate)
    with pytest.raises(Refused, match="no answer within"):
        ask(path, "read", sensor="air")
    gate.opened.set()


def test_only_what_changes_the_node_wants_root() -> None:
    assert {name for name, request in REQUESTS.items() if request.changes} == {
        "maintenance",
        "mark",
        "reload",
    }


def test_a_socket_that_is_not_ours_to_ask_says_how_to_ask(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    mocker.patch("socket.socket.connect", side_effect=PermissionError(13, "denied"))
    with pytest.raises(Refused, match="sudo"):
        ask(tmp_path / "s", "status")
