"""The whole spool against a simple model, in sequences that hypothesis invents."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.support.spool_machine import SpoolMachine

TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
