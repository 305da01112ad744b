"""The record of the last commissioning, as it travels in `about`."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Final

from edgenode.wire.limits import MAX_COMMISSION

LOG = logging.getLogger(__name__)
FILE: Final = "commission.json"  # of the state directory; `edgenode commission` writes it


def record(state: Path, node: str) -> str:
    """Return the text of the record; "" where there is none that can travel.

    One of another node, such as on a card that was moved, is left where it is.
    """
    path = state / FILE
    try:
        with path.open("rb") as file:
            data = file.read(MAX_COMMISSION + 1)
        text = data.decode()
        found = json.loads(text)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, RecursionError) as exc:
        LOG.warning("%s: not published: %s; edgenode commission writes it anew", path, exc)
        return ""
    if len(data) > MAX_COMMISSION or not isinstance(found, dict) or found.get("node") != node:
        LOG.warning("%s: not published: no record of this node; run edgenode commission", path)
        return ""
    return text
