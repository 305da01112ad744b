"""NetworkManager's own reader of its files: libnm, asked through ctypes; no daemon is needed.

nm_keyfile_read, nm_connection_verify and nm_connection_to_dbus of libnm 1.42's API reference.
"""

from __future__ import annotations

import ctypes
from ctypes import CDLL, POINTER, byref, c_char_p, c_int, c_size_t, c_void_p
from typing import Any

HANDLER = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_void_p, c_void_p)


def _library(name: str) -> CDLL:
    try:
        return CDLL(name)
    except OSError as exc:
        raise AssertionError(f"{name} is missing: apt install libnm0") from exc


def _function(library: CDLL, name: str, result: Any, *arguments: Any) -> Any:
    found = getattr(library, name)
    found.restype, found.argtypes = result, list(arguments)
    return found


def read(text: str) -> str:
    """Return a connection as NetworkManager has read it, printed as GVariant does.

    Fails where NetworkManager finds anything to warn of, or the connection cannot be used.
    """
    glib, nm = _library("libglib-2.0.so.0"), _library("libnm.so.0")
    file = _function(glib, "g_key_file_new", c_void_p)()
    load = _function(
        glib, "g_key_file_load_from_data", c_int, c_void_p, c_char_p, c_size_t, c_int, c_void_p
    )
    data = text.encode()
    assert load(file, data, len(data), 0, None), "no key file"
    warned: list[int] = []

    def warn(_file: Any, _connection: Any, kind: int, _data: Any, _user: Any) -> int:
        warned.append(kind)
        return 0

    handler = HANDLER(warn)
    error = c_void_p()
    read_file = _function(
        nm, "nm_keyfile_read", c_void_p, c_void_p, c_char_p, c_int, HANDLER, c_void_p,
        POINTER(c_void_p),
    )  # fmt: skip
    connection = read_file(file, b"/etc/NetworkManager", 0, handler, None, byref(error))
    assert connection, "no connection"
    assert not warned, "NetworkManager warns"
    for check in ("nm_connection_verify", "nm_connection_verify_secrets"):
        assert _function(nm, check, c_int, c_void_p, POINTER(c_void_p))(connection, byref(error))
    found = _function(nm, "nm_connection_to_dbus", c_void_p, c_void_p, c_int)(connection, 0)
    printed = _function(glib, "g_variant_print", c_void_p, c_void_p, c_int)(found, 0)
    return ctypes.string_at(printed).decode()
