"""Sensirion's gas index algorithm by ctypes: what its Python half asks of its C half.

Installed as `sensirion_gas_index_algorithm_wrap`, in place of a generated extension that would have
to be compiled for each version of Python. The names are those of sensirion_gas_index_algorithm.h.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_float, c_int32
from pathlib import Path

GasIndexAlgorithm_ALGORITHM_TYPE_VOC = 0
GasIndexAlgorithm_ALGORITHM_TYPE_NOX = 1
GasIndexAlgorithm_DEFAULT_SAMPLING_INTERVAL = 1.0
LIBRARY_VERSION_NAME = "3.2.0"
STATE_BYTES = 1024  # of the struct, which has less than 64 members of four bytes each
TUNING = 6  # parameters

_LIBRARY = ctypes.CDLL(str(Path(__file__).with_name("libgasindex.so")))


class GasIndexAlgorithmParams:
    """The state of one algorithm."""

    def __init__(self, algorithm_type: int, sampling_interval: float) -> None:
        self._state = (ctypes.c_uint64 * (STATE_BYTES // 8))()
        self.init(algorithm_type, sampling_interval)

    def init(self, algorithm_type: int, sampling_interval: float) -> None:
        """Begin anew; `sampling_interval` is in seconds."""
        _LIBRARY.GasIndexAlgorithm_init_with_sampling_interval(
            self._state, c_int32(algorithm_type), c_float(sampling_interval)
        )

    def get_version(self) -> str:
        """Return the version of the C half."""
        return LIBRARY_VERSION_NAME

    def process(self, sraw: int) -> int:
        """Take in raw ticks and return the index."""
        index = c_int32()
        _LIBRARY.GasIndexAlgorithm_process(self._state, c_int32(sraw), byref(index))
        return index.value

    def get_sampling_interval(self) -> float:
        """Return the seconds between two calls of `process`."""
        interval = c_float()
        _LIBRARY.GasIndexAlgorithm_get_sampling_interval(self._state, byref(interval))
        return interval.value

    def get_states(self) -> tuple[float, float]:
        """Return what `set_states` goes on with."""
        mean, deviation = c_float(), c_float()
        _LIBRARY.GasIndexAlgorithm_get_states(self._state, byref(mean), byref(deviation))
        return mean.value, deviation.value

    def set_states(self, state0: float, state1: float) -> None:
        """Go on after a short pause."""
        _LIBRARY.GasIndexAlgorithm_set_states(self._state, c_float(state0), c_float(state1))

    def get_tuning_parameters(self) -> tuple[int, ...]:
        """Return offset, learning times of offset and gain, gating, initial deviation, gain."""
        values = [c_int32() for _ in range(TUNING)]
        _LIBRARY.GasIndexAlgorithm_get_tuning_parameters(self._state, *map(byref, values))
        return tuple(value.value for value in values)

    def set_tuning_parameters(self, *values: int) -> None:
        """Set what `get_tuning_parameters` returns, in that order."""
        _LIBRARY.GasIndexAlgorithm_set_tuning_parameters(self._state, *map(c_int32, values))
