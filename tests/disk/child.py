"""Work in a process of its own: a spool keeps its files open until its process ends."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from typing import Any


def in_child(work: Callable[[], object]) -> Any:
    """Run `work` in a forked process and return its result, which JSON must be able to carry.

    Fails with the child's traceback when it raises, and says so when it dies without one.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writer, "w", encoding="utf-8") as pipe:
            try:
                json.dump({"result": work()}, pipe)
            except BaseException:  # noqa: BLE001 - whatever ended the child is the test's finding
                json.dump({"error": traceback.format_exc()}, pipe)
            pipe.flush()
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    answer = json.loads(text) if text else {"error": f"it ended without a word: {status:#x}"}
    assert "error" not in answer, answer["error"]
    return answer["result"]
