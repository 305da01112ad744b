"""Every channel of every driver, as entities of published models at a broker that is strict."""

from __future__ import annotations

from collections.abc import Callable

from drivers.hwmon import TYPES as HWMON_TYPES
from drivers.iec62056 import KNOWN
from drivers.iio import TYPES as IIO_TYPES
from drivers.mbus_choice import KEPT
from drivers.pulse_weight import NOUNS
from edgenode.cityos.export.models import ATTRIBUTES, MODELS
from edgenode.cityos.sink import Sink
from edgenode.derived import RATES, derivable
from edgenode.driver import loadable
from edgenode.reading import Channel, Kind
from edgenode.units import UNITS
from tests.support.exporting import Export
from tests.support.ngsild import Broker
from tests.support.schemas import attributes, mistakes, validator
from tests.support.told import Node

Make = Callable[[], Export]


def channels_of_all_drivers() -> dict[str, list[Channel]]:
    """Return what every installed driver declares, and what can be derived from it."""
    found = {}
    for name, driver in loadable().items():
        own = list(driver.channels)
        units = {one.name: one.unit for one in own}
        derived = [
            made.channel
            for made in derivable(own).values()
            if made.sources.items() <= units.items() and made.channel.name not in units
        ]
        found[name] = own + derived
    return found


def usual(channel: Channel) -> float:
    """Return a value that the channel can mean, one step above its least."""
    if channel.kind is Kind.COUNTER or channel.low is None:
        return 10.0**channel.scale
    return channel.low + 10.0**channel.scale


def test_every_unit_of_every_driver_is_in_the_table() -> None:
    units = {one.unit for channels in channels_of_all_drivers().values() for one in channels}
    assert units - UNITS.keys() == set()


def test_every_unit_of_parts_that_are_told_what_to_read_is_in_the_table() -> None:
    """What their channels are is chosen in the file, out of these tables."""
    tables = (KEPT, IIO_TYPES, HWMON_TYPES, KNOWN)
    units = {one.unit for table in tables for one in table.values()}
    units |= {unit for unit in NOUNS if unit} | {rate.unit for rate in RATES.values()}
    assert units - UNITS.keys() == set()


def test_every_attribute_of_the_table_is_one_of_its_schema() -> None:
    for model, rows in ATTRIBUTES.items():
        assert {row.name for row in rows} <= attributes(model)
    for model in MODELS:
        validator(model)  # there is one


def test_every_driver_is_taken_by_a_strict_broker_and_valid_against_the_schemas(
    sink: Sink, broker: Broker, export: Make
) -> None:
    sensors = channels_of_all_drivers()
    node = Node(sink, sensors)
    for sensor, channels in sensors.items():
        for at in (1_000, 2_000):
            node.say(sensor, (at, [usual(one) for one in channels]))
    one = export()
    assert one.run() > 2 * len(sensors)
    assert broker.refusals == []
    assert one.state.refused() == []
    wrong = {name: found for name, x in broker.entities.items() if (found := mistakes(x))}
    assert wrong == {}
    kinds = {entity["type"] for entity in broker.entities.values()}
    assert kinds == set(MODELS) - {"SmartMeteringObservation"}
