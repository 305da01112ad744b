"""`GET /metrics` on the control socket, for `curl --unix-socket` and for scrapers.

HTTP/1.0 as in RFC 1945: one request, one response, then the connection ends.
"""

from __future__ import annotations

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
END = b"\r\n\r\n"
PATH = b"/metrics"


def is_http(line: bytes) -> bool:
    """Return whether these bytes begin a request of HTTP rather than one of ours."""
    return b" HTTP/1." in line.partition(b"\n")[0]


def wants_metrics(request: bytes) -> bool:
    """Return whether it is a GET of /metrics; a query behind it is ignored."""
    method, _, rest = request.partition(b" ")
    return method == b"GET" and rest.partition(b" ")[0].partition(b"?")[0] == PATH


def response(text: str | None) -> bytes:
    """Return the whole response: the metrics, or 404 where `text` is None."""
    status, kind = ("200 OK", CONTENT_TYPE) if text is not None else ("404 Not Found", "text/plain")
    body = (text if text is not None else "only GET /metrics is served here\n").encode()
    head = f"HTTP/1.0 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body
