"""Leases of a serial port: shared, given up after a fault, nothing left open."""

from __future__ import annotations

import os

import pytest

from edgenode.bus.serial import Lease, SerialBus
from edgenode.errors import BusError
from edgenode.reading import SerialLine
from tests.support.adapter import Adapter, descriptors

LINE = SerialLine(9600)


def test_a_port_that_broke_is_closed_at_once_so_that_its_name_is_free(
    adapter: Adapter, bus: SerialBus
) -> None:
    before = descriptors() - 1  # the far end will be gone
    held = bus.lease(LINE)
    adapter.unplug()
    with pytest.raises(BusError):
        held.arrived()
    assert descriptors() == before
    assert held.fileno() == -1
    held.close()


def test_a_port_that_broke_stays_broken_for_whoever_holds_it(
    adapter: Adapter, bus: SerialBus
) -> None:
    first, second = bus.lease(LINE), bus.lease(LINE)
    adapter.unplug()
    with pytest.raises(BusError):
        first.arrived()
    adapter.plug()
    for call in (second.arrived, second.discard, lambda: second.write(b"x")):
        with pytest.raises(BusError, match="was given up after a fault"):
            call()
    first.close()
    second.close()


def test_the_next_lease_opens_anew_though_others_still_hold_what_broke(
    adapter: Adapter, bus: SerialBus
) -> None:
    before = descriptors()
    first, second, third = bus.lease(LINE), bus.lease(LINE), bus.lease(LINE)
    adapter.unplug()
    with pytest.raises(BusError):
        first.arrived()
    first.close()
    adapter.plug()
    again = bus.lease(LINE)  # the others have not been read yet
    adapter.says(b"hello")
    assert again.receive(5, 1) == b"hello"
    second.close()
    third.close()
    adapter.says(b"still here")
    assert again.receive(10, 1) == b"still here"
    again.close()
    assert descriptors() == before


def test_a_port_is_open_until_the_last_lease_whatever_the_order(
    adapter: Adapter, bus: SerialBus
) -> None:
    before = descriptors()
    leases = [bus.lease(LINE) for _ in range(3)]
    opened = descriptors()
    assert opened > before
    for at, index in enumerate((1, 0, 2)):
        assert descriptors() == opened, f"closed after {at} of 3"
        leases[index].close()
        leases[index].close()  # twice is once
    assert descriptors() == before


def test_a_lease_that_was_given_back_cannot_be_used(adapter: Adapter, bus: SerialBus) -> None:
    kept, closed = bus.lease(LINE), bus.lease(LINE)
    closed.close()
    with pytest.raises(BusError, match="was closed"):
        closed.write(b"x")
    kept.write(b"y")
    assert os.read(adapter.far, 10) == b"y"
    kept.close()


def test_a_port_comes_back_under_its_name_on_another_device(
    adapter: Adapter, bus: SerialBus
) -> None:
    first = bus.lease(LINE)
    adapter.unplug()
    with pytest.raises(BusError):
        first.arrived()
    first.close()
    with pytest.raises(BusError, match="no such port"):
        bus.lease(LINE)
    adapter.plug()
    again = bus.lease(LINE)
    adapter.says(b"back")
    assert again.receive(4, 1) == b"back"
    again.close()


def test_sensors_that_want_different_speeds_on_one_port_are_told(
    bus: SerialBus, port: Lease
) -> None:
    with pytest.raises(BusError, match=r"is open at 9600 8N1 .* wants 2400 8E2.*\[\[bus\]\]"):
        bus.lease(SerialLine(2400, "even", 8, 2))


def test_a_hundred_plugs_leave_no_descriptor_behind(adapter: Adapter, bus: SerialBus) -> None:
    before = descriptors()
    for _ in range(100):
        lease = bus.lease(LINE)
        adapter.unplug()
        with pytest.raises(BusError):
            lease.receive(1, 0)
        lease.close()
        adapter.plug()
    assert descriptors() == before
