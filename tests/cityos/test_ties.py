"""Which of two anchors counts where both would state the same error."""

from __future__ import annotations

from edgenode.cityos.timing import Timeline
from edgenode.reading import Anchor, ClockSource

START = 1_795_000_000_000


def test_of_two_anchors_that_are_equally_good_the_nearer_counts() -> None:
    """At 400,000 ms both say 30 ms: 10 + 50 ppm of 400 s, and 20 + 50 ppm of 200 s."""
    far = Anchor(0, START, ClockSource.RTC, 10)
    near = Anchor(600_000, START + 600_007, ClockSource.MANUAL, 20)
    time = Timeline([far, near]).at(400_000)
    assert (time.utc, time.err, time.clock) == (START + 400_007, 30, ClockSource.MANUAL)
