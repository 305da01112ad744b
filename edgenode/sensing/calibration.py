"""From what a driver gives to what the calibration makes of it."""

from __future__ import annotations

from collections.abc import Callable

from edgenode.sensing.rules import Calibration

Correction = Callable[[float], float]


def correction(calibration: Calibration) -> Correction:
    """Return the function of one value, in the unit of its channel both before and after.

    `gain * x + offset`, or the polynomial, by Horner's scheme. It may give an infinity or NaN.
    """
    if calibration.polynomial:
        return _polynomial(calibration.polynomial)
    gain, offset = calibration.gain, calibration.offset
    return lambda x: gain * x + offset


def _polynomial(coefficients: tuple[float, ...]) -> Correction:
    highest_first = coefficients[::-1]

    def value(x: float) -> float:
        y = 0.0
        for coefficient in highest_first:
            y = y * x + coefficient
        return y

    return value
