"""What the reason code of a PUBACK means for the batch (MQTT 5, section 3.4.2.1)."""

from __future__ import annotations

from enum import Enum, auto

NO_SUBSCRIBERS = 0x10
REFUSED = 0x80  # and above
NOT_AUTHORIZED = 0x87
PACKET_TOO_LARGE = 0x95
QUOTA_EXCEEDED = 0x97
FORMAT_INVALID = 0x99


class Verdict(Enum):
    """What is done with a batch after its PUBACK."""

    ACKED = auto()
    KEEP = auto()  # retry slowly
    SLOW_DOWN = auto()  # keep it, and send everything else more slowly too
    SET_ASIDE = auto()


def judge(code: int) -> Verdict:
    """Return the fate of a batch.

    What nobody heard was not delivered, whoever's word is the last. The absence of that code
    proves nothing.
    """
    if code == QUOTA_EXCEEDED:
        return Verdict.SLOW_DOWN
    if code == FORMAT_INVALID:
        return Verdict.SET_ASIDE
    if code >= REFUSED or code == NO_SUBSCRIBERS:
        return Verdict.KEEP
    return Verdict.ACKED
