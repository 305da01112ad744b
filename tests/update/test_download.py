"""Fetching a bundle over a line that drops, from a server whose certificate is checked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from edgenode.errors import NodeError
from edgenode.update import download as module
from edgenode.update.download import download
from tests.support.certificates import Authority

DATA = bytes(n * 7 % 251 for n in range(300_000))


class Depot:
    """Serves DATA over TLS; what it shall do wrong is set by the test."""

    def __init__(self, authority: Authority) -> None:
        self.breaks = 0  # so many answers end early
        self.code, self.ranges, self.leads_to = 200, True, ""
        self.asked: list[str | None] = []
        depot = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                depot.answer(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        pair = authority.issue("localhost", "DNS:localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}/node.raucb"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.asked.append(wanted)
        at = int(wanted[6:-1]) if wanted and self.ranges else 0
        code = 302 if self.leads_to else (206 if wanted and self.ranges else self.code)
        handler.send_response(code)
        if self.leads_to:
            handler.send_header("Location", self.leads_to)
        body = DATA[at:] if code in {200, 206} else b""
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if self.breaks:
            self.breaks -= 1
            body = body[:100_000]
            handler.close_connection = True
        handler.wfile.write(body)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def depot(authority: Authority) -> Iterator[Depot]:
    depot = Depot(authority)
    thread = threading.Thread(target=depot.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield depot
    depot.server.shutdown()
    depot.server.server_close()
    thread.join(5)


@pytest.fixture
def trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.certificate))


def fetched(url: str, state: Path, trust: ssl.SSLContext | None) -> tuple[bytes, list[str]]:
    said: list[str] = []
    path = download(url, state, lambda _: None, said.append, trust)
    return path.read_bytes(), said


def test_a_bundle_arrives_to_the_byte(depot: Depot, tmp_path: Path, trust: ssl.SSLContext) -> None:
    assert fetched(depot.url, tmp_path, trust) == (DATA, [])


def test_a_line_that_drops_goes_on_where_it_stopped(
    depot: Depot, tmp_path: Path, trust: ssl.SSLContext
) -> None:
    depot.breaks = 2
    data, said = fetched(depot.url, tmp_path, trust)
    assert data == DATA
    assert depot.asked == [None, "bytes=100000-", "bytes=200000-"]
    assert len(said) == 2


def test_what_was_fetched_before_a_reboot_is_not_fetched_again(
    depot: Depot, tmp_path: Path, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRIES", 1)
    depot.breaks = 1
    with pytest.raises(NodeError, match="goes on where it stopped"):
        fetched(depot.url, tmp_path, trust)
    assert fetched(depot.url, tmp_path, trust)[0] == DATA
    assert depot.asked == [None, "bytes=100000-"]


def test_what_is_left_of_another_bundle_is_not_mixed_in(
    depot: Depot, tmp_path: Path, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRIES", 1)
    depot.breaks = 1
    with pytest.raises(NodeError):
        fetched(depot.url, tmp_path, trust)
    assert fetched(f"{depot.url}?other", tmp_path, trust)[0] == DATA
    assert depot.asked == [None, None]


def test_a_server_without_ranges_gives_it_from_the_beginning(
    depot: Depot, tmp_path: Path, trust: ssl.SSLContext
) -> None:
    depot.breaks, depot.ranges = 1, False
    assert fetched(depot.url, tmp_path, trust)[0] == DATA


def test_a_server_that_fails_is_asked_again_and_one_that_refuses_is_not(
    depot: Depot, tmp_path: Path, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRIES", 3)
    for code, times in ((503, 3), (404, 1)):
        depot.code, depot.asked = code, []
        with pytest.raises(NodeError, match=str(code)):
            fetched(depot.url, tmp_path, trust)
        assert len(depot.asked) == times


def test_a_server_that_nobody_vouches_for_is_refused_at_once(depot: Depot, tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="is the clock right"):
        fetched(depot.url, tmp_path, None)
    assert depot.asked == []


@pytest.mark.parametrize("url", ["http://localhost/b", "ftp://localhost/b", "https:///b"])
def test_anything_but_https_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="https URL"):
        fetched(url, tmp_path, None)


def test_a_file_for_which_there_is_no_room_is_not_begun(
    depot: Depot, tmp_path: Path, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SPARE_BYTES", 1 << 60)
    with pytest.raises(NodeError, match="no room"):
        fetched(depot.url, tmp_path, trust)


def test_what_is_left_of_an_installation_that_was_cut_off_takes_no_room(
    depot: Depot, tmp_path: Path, trust: ssl.SSLContext
) -> None:
    (left := tmp_path / module.PLACE).parent.mkdir()
    left.write_bytes(b"of yesterday")
    depot.code = 404
    with pytest.raises(NodeError):
        fetched(depot.url, tmp_path, trust)
    assert not left.exists()


def test_a_link_that_somebody_laid_in_the_way_is_not_followed(
    depot: Depot, tmp_path: Path, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRIES", 1)
    (victim := tmp_path / "victim").write_text("untouched")
    depot.breaks = 1
    with pytest.raises(NodeError):
        fetched(depot.url, tmp_path, trust)
    part = (tmp_path / module.PLACE).with_suffix(".part")
    part.unlink()
    part.symlink_to(victim)
    with pytest.raises(NodeError):
        fetched(depot.url, tmp_path, trust)
    assert victim.read_text() == "untouched"


def test_a_file_that_is_too_long_for_a_bundle_is_refused(
    depot: Depot, tmp_path: Path, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    with pytest.raises(NodeError, match="at most 1000"):
        fetched(depot.url, tmp_path, trust)
