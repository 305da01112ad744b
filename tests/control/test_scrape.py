"""`GET /metrics` on the socket, as scrapers and curl ask for it."""

import socket
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any

import pytest

from edgenode.errors import NodeError
from tests.support.serving import Serve, raw

METRICS = "# TYPE edgenode_health stateset\n# EOF\n"


def split(answer: bytes) -> tuple[str, dict[str, str], str]:
    head, _, body = answer.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


def test_a_scraper_reads_the_metrics_over_http(serve: Serve) -> None:
    path = serve(metrics=lambda _: {"format": 1, "text": METRICS})
    request = b"GET /metrics?x=1 HTTP/1.1\r\nHost: node\r\nAccept: */*\r\n\r\n"
    first, headers, body = split(raw(path, request))
    assert first == "HTTP/1.0 200 OK"
    assert headers["Content-Type"] == ("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert headers["Content-Length"] == str(len(METRICS))
    assert body == METRICS


def test_a_request_that_arrives_in_pieces_is_one_request(serve: Serve) -> None:
    path = serve(metrics=lambda _: {"text": METRICS})
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(10)
        peer.connect(str(path))
        for piece in (b"GET /metrics HTTP/1.0\r\n", b"Host: n\r\n", b"\r\n"):
            peer.sendall(piece)
            time.sleep(0.02)
        assert split(peer.makefile("rb").read())[2] == METRICS


@pytest.mark.parametrize("line", [b"GET / HTTP/1.0", b"POST /metrics HTTP/1.0"])
def test_nothing_else_is_served_over_http(serve: Serve, line: bytes) -> None:
    path = serve(metrics=lambda _: {"text": METRICS})
    assert split(raw(path, line + b"\r\n\r\n"))[0] == "HTTP/1.0 404 Not Found"


def test_a_failing_metric_is_no_page(serve: Serve) -> None:
    def broken(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise NodeError("no figures")

    path = serve(metrics=broken)
    assert split(raw(path, b"GET /metrics HTTP/1.0\r\n\r\n"))[0] == "HTTP/1.0 404 Not Found"


def test_an_http_client_that_is_not_ours_reads_the_metrics(serve: Serve) -> None:
    path = serve(metrics=lambda _: {"text": METRICS})
    connection = HTTPConnection("node")
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(10)
    connection.sock.connect(str(path))
    connection.request("GET", "/metrics")
    assert connection.getresponse().read().decode() == METRICS
    connection.close()
