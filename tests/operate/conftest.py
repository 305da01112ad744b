"""Fixtures of the operator's side: a sink of each make, and what nodes would have sent into it."""

from __future__ import annotations

from tests.cityos.conftest import city, postgres, sender, shared, sink

__all__ = ["city", "postgres", "sender", "shared", "sink"]
