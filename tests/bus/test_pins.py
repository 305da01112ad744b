"""Our pins under gpiozero: what the kernel is asked, and what gpiozero's devices make of it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from importlib.metadata import entry_points

import gpiozero
import pytest
from gpiozero import LED, DigitalInputDevice, InputDevice
from gpiozero.pins.mock import MockFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenode.bus.pins import CdevFactory, CdevPin, line_number
from edgenode.errors import BusError
from tests.support.descriptors import open_descriptors
from tests.support.fake_chip import ATTRS, FLAGS, INPUT, FakeChip

RISING, FALLING, PULL_UP, PULL_DOWN, NO_BIAS = 1 << 4, 1 << 5, 1 << 8, 1 << 9, 1 << 10


@pytest.fixture
def factory(chip: FakeChip) -> Iterator[CdevFactory]:
    made = CdevFactory(chip.path)
    yield made
    made.close()


def flags(request: bytes) -> int:
    found: int = struct.unpack_from("<Q", request, FLAGS)[0]
    return found


def pumped(pin: CdevPin) -> int:
    return len(list(pin.pump()))


def test_gpiozero_finds_the_factory_by_its_entry_point() -> None:
    points = entry_points(group="gpiozero_pin_factories")
    assert {point.name: point.load() for point in points if point.name == "edgenode"} == {
        "edgenode": CdevFactory
    }


def test_a_device_gets_the_factory_and_the_world_does_not(
    chip: FakeChip, factory: CdevFactory
) -> None:
    device = DigitalInputDevice(17, pull_up=True, pin_factory=factory)
    assert device.pin_factory is factory
    assert gpiozero.Device.pin_factory is not factory
    device.close()


@pytest.mark.parametrize(
    ("pull_up", "flag"), [(True, PULL_UP), (False, PULL_DOWN), (None, NO_BIAS)]
)
def test_the_pull_of_a_device_is_the_bias_of_the_line(
    chip: FakeChip, factory: CdevFactory, *, pull_up: bool | None, flag: int
) -> None:
    active = True if pull_up is None else None
    DigitalInputDevice(4, pull_up=pull_up, active_state=active, pin_factory=factory).close()
    (request,) = chip.requests
    assert flags(request) == INPUT | RISING | FALLING | flag
    assert struct.unpack_from("<I", request) == (4,)


def test_the_bounce_time_of_a_device_is_the_kernels_debounce(
    chip: FakeChip, factory: CdevFactory
) -> None:
    DigitalInputDevice(4, bounce_time=0.005, pin_factory=factory).close()
    (request,) = chip.requests
    assert struct.unpack_from("<IIQQ", request, ATTRS) == (3, 0, 5_000, 1)


def test_an_input_that_nobody_watches_asks_for_no_edges(
    chip: FakeChip, factory: CdevFactory
) -> None:
    device = InputDevice(4, pin_factory=factory)
    chip.levels[4] = 1
    assert device.value == 1
    assert flags(chip.requests[0]) == INPUT | PULL_DOWN
    device.close()


def test_edges_reach_the_devices_own_events(chip: FakeChip, factory: CdevFactory) -> None:
    device = DigitalInputDevice(4, pin_factory=factory)
    heard: list[str] = []
    device.when_activated = lambda: heard.append("on")
    device.when_deactivated = lambda: heard.append("off")
    pin = factory.pin(4)
    for high in (1, 0, 1):
        chip.edge(4, high)
    assert heard == []
    assert pumped(pin) == 3
    assert heard == ["on", "off", "on"]
    assert device.active_time is not None
    device.close()


def test_nothing_to_pump_is_no_wait(chip: FakeChip, factory: CdevFactory) -> None:
    device = DigitalInputDevice(4, pin_factory=factory)
    assert pumped(factory.pin(4)) == 0
    device.close()


def test_edges_that_fell_out_of_the_queue_are_counted(chip: FakeChip, factory: CdevFactory) -> None:
    device = DigitalInputDevice(4, pin_factory=factory)
    chip.edge(4, 1)
    chip.unread(4, 6)
    chip.edge(4, 0)
    pumped(factory.pin(4))
    assert factory.pin(4).dropped == 6
    device.close()


def test_an_output_has_its_first_state_from_its_first_moment(
    chip: FakeChip, factory: CdevFactory
) -> None:
    led = LED(9, active_high=False, pin_factory=factory)
    assert chip.levels[9] == 1
    led.on()
    assert (chip.levels[9], led.value) == (0, 1)
    led.toggle()
    assert chip.levels[9] == 1
    led.close()


def test_an_input_becomes_an_output_at_the_level_it_has(
    chip: FakeChip, factory: CdevFactory
) -> None:
    chip.levels[9] = 1
    led = LED(9, initial_value=None, pin_factory=factory)
    assert led.value == 1
    led.close()


def test_there_is_no_pwm(chip: FakeChip, factory: CdevFactory) -> None:
    with pytest.raises(gpiozero.PinPWMUnsupported, match="no PWM"):
        gpiozero.PWMLED(9, pin_factory=factory)
    pin = factory.pin(3)
    pin.output_with_state(0)
    with pytest.raises(gpiozero.PinPWMUnsupported):
        pin.state = 0.5


def test_a_line_is_used_by_one_device_at_a_time(chip: FakeChip, factory: CdevFactory) -> None:
    first = DigitalInputDevice(4, pin_factory=factory)
    with pytest.raises(gpiozero.GPIOPinInUse, match="line 4"):
        LED("GPIO4", pin_factory=factory)
    first.close()
    LED(4, pin_factory=factory).close()


def test_a_line_of_another_program_is_a_bus_error_and_nothing_stays_open(
    chip: FakeChip, factory: CdevFactory
) -> None:
    chip.refusal = 16
    with pytest.raises(BusError, match="gpioinfo names it"):
        DigitalInputDevice(4, pin_factory=factory)
    chip.refusal = None
    DigitalInputDevice(4, pin_factory=factory).close()


def test_a_chip_that_goes_is_a_bus_error(chip: FakeChip, factory: CdevFactory) -> None:
    device = DigitalInputDevice(4, pin_factory=factory)
    chip.vanish()
    with pytest.raises(BusError, match="the line ended"):
        pumped(factory.pin(4))
    device.close()


def test_closing_the_factory_gives_every_line_back(chip: FakeChip) -> None:
    before = open_descriptors()
    factory = CdevFactory(chip.path)
    factory.pin(1).output_with_state(1)
    factory.pin(2).fileno()
    factory.close()
    factory.close()
    chip.vanish()
    assert open_descriptors() == before


def test_a_pin_is_the_same_by_each_of_its_names(factory: CdevFactory) -> None:
    assert factory.pin(17) is factory.pin("17") is factory.pin("GPIO17")
    assert factory.pin(17).info.name == "GPIO17"


@pytest.mark.parametrize("wrong", ["J8:11", "", "-1", "GPIO", "1.5"])
def test_a_name_that_is_no_line_is_refused(wrong: str) -> None:
    with pytest.raises(gpiozero.PinInvalidPin, match="give its number"):
        line_number(wrong)


@pytest.mark.parametrize(
    ("attribute", "value", "error"),
    [
        ("function", "alt5", gpiozero.PinInvalidFunction),
        ("pull", "sideways", gpiozero.PinInvalidPull),
        ("bounce", 2.0, gpiozero.PinInvalidBounce),
        ("edges", "some", gpiozero.PinInvalidEdges),
        ("state", 1, gpiozero.PinSetInput),
    ],
)
def test_what_a_line_cannot_be_is_refused_in_gpiozeros_words(
    factory: CdevFactory, attribute: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        setattr(factory.pin(4), attribute, value)


def test_a_chip_is_no_board_and_says_so(factory: CdevFactory) -> None:
    with pytest.raises(gpiozero.PinUnsupported, match="by number"):
        _ = factory.board_info


@given(levels=st.lists(st.booleans(), max_size=20), pull_up=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_a_device_hears_over_our_pins_what_it_hears_over_gpiozeros_own_mock(
    chip: FakeChip, *, levels: list[bool], pull_up: bool
) -> None:
    ours, mock = CdevFactory(chip.path), MockFactory()
    chip.levels[4] = int(pull_up)
    heard: list[list[tuple[str, int]]] = []
    for made in (ours, mock):
        device = DigitalInputDevice(4, pull_up=pull_up, pin_factory=made)
        notes: list[tuple[str, int]] = []
        device.when_activated = lambda notes=notes, device=device: notes.append(
            ("on", device.value)
        )
        device.when_deactivated = lambda notes=notes, device=device: notes.append(
            ("off", device.value)
        )
        for high in levels:
            if made is ours:
                if chip.levels[4] != int(high):
                    chip.edge(4, int(high))
                pumped(ours.pin(4))
            elif high:
                mock.pin(4).drive_high()
            else:
                mock.pin(4).drive_low()
        heard.append(notes)
        device.close()
    ours.close()
    mock.close()
    assert heard[0] == heard[1]
