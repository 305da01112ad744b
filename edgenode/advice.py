"""What to do about what is wrong with a sensor, or with what it measures."""

from __future__ import annotations

REASONS = {  # a read that failed, by the name of its reason in docs/wire-format.md
    "no-answer": "check its plug, supply and address, and those of what it hangs on",
    "timeout": "check its supply, the length of its cable and the speed of the bus",
    "bad-checksum": "look for interference: shield or shorten the cable, check the ground",
    "wrong-device": "another part answers: compare its marking with the driver in the file",
    "bus-stuck": "unplug the sensors of this bus one by one; check its pull-ups",
    "impossible-value": "the part itself says that it cannot measure: replace it if that stays",
    "settling": "wait: it is not ready yet",
    "driver-defect": "a defect of edgenode: send the file that edgenode bundle writes",
}
QUALITIES = {  # a value that cannot be believed, by the name of its quality
    "settling": "wait until it has settled",
    "stale": "it talks less often than it is asked: raise every_s, or look at its own interval",
    "stuck": "look for a blocked inlet or a frozen part; power it off and on",
    "out-of-range": "compare with another instrument; check the limits in the file",
    "clamped": "compare with another instrument; check the limits in the file",
    "rate-of-change": "look for a loose contact; check rate_per_s in the file",
    "disagrees": "compare both with a third instrument: either of the two may be wrong",
    "uncalibrated": "calibrate it, and write the calibration into the file",
    "fault": "look for interference: shield or shorten the cable, check the ground",
    "missing": "check its plug, supply and address",
}
LEAK = "shut everything off; if it still grows look at cisterns, valves and pipes"
WORN = "exchange it, write the day as `installed` in its [[sensor]], then edgenode reload"
