"""Between what a driver returns and what travels: a float in the unit, an integer times 10^scale.

The rule is v = round-half-even(x / 10^scale) over the exact value of the float x, so that every
implementation gets the same integer; back it is one division or one multiplication.
"""

from __future__ import annotations

import math
from fractions import Fraction

from edgenode.errors import WireError
from edgenode.wire.limits import MAX_VALUE

_DOUBT = 2.0**-52  # twice the relative error of one correctly rounded operation


def scaled(value: float, scale: int) -> int:
    """Return the integer that travels for `value` on a channel of this scale.

    Raises WireError when the value is not finite or the result is not within +-(2^50 - 1).
    """
    if not math.isfinite(value):
        raise WireError(f"value {value} is not a number that can travel; flag the reading instead")
    power: int = 10 ** abs(scale)
    quotient = value * power if scale < 0 else value / power
    if not -MAX_VALUE - 1 < quotient < MAX_VALUE + 1:
        raise WireError(f"value {value} at scale {scale} is beyond 2^50; choose a coarser scale")
    nearest = round(quotient)
    # The float quotient is off by less than this; only near a tie can that change the integer.
    if 0.5 - abs(quotient - nearest) <= abs(quotient) * _DOUBT:
        exact = Fraction(value)
        nearest = round(exact * power if scale < 0 else exact / power)
    if not -MAX_VALUE <= nearest <= MAX_VALUE:
        raise WireError(f"value {value} at scale {scale} is beyond 2^50; choose a coarser scale")
    return nearest


def unscaled(v: int, scale: int) -> float:
    """Return the value in the unit for the integer `v`, with one rounding."""
    return v / 10**-scale if scale < 0 else float(v * 10**scale)
