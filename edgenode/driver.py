"""What a driver is: declared channels, one blocking `read`, and how a driver is found by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import msgspec
from msgspec import Meta

from edgenode.errors import ConfigError, nearest
from edgenode.reading import Anchor, Channel, Event, Sample, SerialLine, Stream

WireKind = Literal["i2c", "serial", "gpio", "sysfs"]
# How far a driver is proved: "oracle" agrees with somebody else's decoder on generated frames,
# "captures" with frames recorded from real parts; there is neither for one that is "unverified".
Grade = Literal["oracle", "captures", "unverified"]
# What options of several drivers hold; an `observed` property is best described by an example.
Line = Annotated[
    int, Meta(ge=0, le=1023, description="a line number of the chip, from 0, up to 1023")
]
Debounce = Annotated[int, Meta(ge=0, le=1_000_000, description="microseconds, up to a second")]
Observed = Annotated[str, Meta(pattern="^([A-Za-z0-9]+/[A-Za-z0-9]+)?$")]

DECLARED = ("wire", "model", "options", "channels", "budget_s", "fastest_s")  # without a default


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a driver's options: what an installer may write in [[sensor]] for this part."""


class Life(NamedTuple):
    """How long a part lasts: `hours` of operation until its `what` is worn.

    `counter` names the channel that counts its hours, where it does not work all the time.
    """

    hours: float
    what: str  # "laser", "fan", "cell"
    counter: str = ""


class Found(NamedTuple):
    """A part that was recognised on a wire: how to call it, and the options that it needs."""

    words: str  # such as "SHT4x, serial number 0fa12b3c"
    options: Mapping[str, Any] = {}  # those that do not have their default; never the address


class Driver(Protocol):
    """A sensor that is open from construction until `close`.

    A class is made with `cls(wire, options)`; the wire is already open and of the kind that
    `wire` names. Constructing is opening, so there is no half-open state: a driver that fails
    is discarded and built anew. Only the thread of its bus ever calls it. `read` may block for
    `budget_s`, never longer. Drivers never log, retry, stamp time or start threads.

    What has a value here is a default for classes that inherit from this one.
    """

    wire: ClassVar[WireKind]
    model: ClassVar[str]
    options: ClassVar[type[Options]]
    channels: ClassVar[tuple[Channel, ...]]
    budget_s: ClassVar[float]
    fastest_s: ClassVar[float]  # read more often, the part says nothing new or comes to harm
    settle_s: ClassVar[float] = 0.0  # after opening, how long readings are marked as settling
    since_open: ClassVar[frozenset[str]] = frozenset()  # counters that begin at 0 when it opens
    since_boot: ClassVar[frozenset[str]] = frozenset()  # the same when the machine boots
    stream: ClassVar[Stream] = Stream.TELEMETRY
    purpose: ClassVar[str] = ""  # why anybody may measure this, where a part has but one answer
    line: ClassVar[SerialLine | None] = None  # serial: the speed and framing of the part
    also: ClassVar[tuple[SerialLine, ...]] = ()  # serial: how it may be set instead; for a scan
    alone: ClassVar[bool] = False  # serial: it talks by itself, so nothing else fits on its port
    shares: ClassVar[str] = ""  # serial: by which protocol it shares its port; see `identify_at`
    watch: ClassVar[Literal["edges", "state", "states"]] = "edges"  # gpio: which wire it takes
    lines: ClassVar[tuple[str, ...]] = ("line",)  # gpio: which options are numbers of lines
    # i2c: where the part can be; serial: where a scan looks for it. The usual one comes first.
    addresses: ClassVar[tuple[int, ...]] = ()
    pace_s: ClassVar[float] = 0.0  # a Talker without a descriptor is fed so often; 0: never
    life: ClassVar[Life | None] = None
    metered: ClassVar[bool] = False  # measures what people consume, so it may tell how they live
    grade: ClassVar[Grade] = "unverified"
    borrows: ClassVar[Mapping[str, str]] = {}  # quantity: unit, by which it measures better; `lend`

    varies: ClassVar[bool] = False  # its channels depend on its options; then see both of these

    @classmethod
    def declare(cls, options: Any) -> tuple[Channel, ...]:
        """Return the channels that a sensor with these options has.

        Where they vary, `channels` is an example of them.
        """
        del options
        return cls.channels

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels of this very sensor: those that `declare` gives for its options."""
        return self.channels

    @classmethod
    def identify(cls, wire: Any, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return what answers on this wire if it is this part, else None.

        Asks without changing anything: whoever else stands there must not come to harm.
        Raises BusError when the wire fails; an address without an answer is one.
        """
        del wire, sleep
        return None

    @classmethod
    def identify_at(cls, wire: Any, address: int) -> Found | None:
        """Return what answers at an address of a shared port if it is this part, else None.

        In place of `identify` where a part `shares` its port. BusTimeout says that nobody is there
        who knows the protocol.
        """
        del wire, address
        return None

    @classmethod
    def survey(cls, tree: Any) -> tuple[Found, ...]:
        """Return every part of this kind that the kernel has, for a driver of its files."""
        found = cls.identify(tree)
        return (found,) if found else ()

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        """Return what says such things by itself on a serial port if it is this part, else None.

        `heard` is what was heard in some seconds at the speed of `line`; it begins anywhere.
        """
        del heard
        return None

    def read(self, now_ms: int) -> Sample:
        """Take one sample; raise DriverError when the sensor cannot give an honest one."""
        ...

    def lend(self, quantity: str, value: float | None) -> None:
        """Take note of what another sensor measures of `borrows`, or that nobody knows it now.

        Called before each read and feed where the file names a source; never touches the wire.
        """
        del quantity, value

    def instant(self) -> Anchor | None:
        """Return what the part knows of UTC since the last call; None where that is nothing.

        Asked after each read and feed; never touches the wire.
        """
        return None

    def close(self) -> None:
        """Leave the sensor safe and quiet; safe to call twice, never raises."""
        ...


@runtime_checkable
class Talker(Protocol):
    """A driver of something that talks by itself: the bus thread waits on it and feeds it."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is something to feed on.

        -1 where there is none: such a driver is fed each `pace_s`.
        """
        ...

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in what is readable without blocking, and return the events to tell at once.

        Raises DriverError when the wire is gone.
        """
        ...


@runtime_checkable
class Counting(Protocol):
    """A Talker whose counters of `since_open` are known between reads."""

    def counts(self) -> Mapping[str, int]:
        """Return the counters of `since_open` as they stand now, without touching the wire."""
        ...

    def resumed(self) -> Mapping[str, int]:
        """Return the totals that the counters began with, where the wire outlived its process.

        Empty where this opening began to count: then nobody has watched since the last one.
        """
        ...

    def keep(self, totals: Mapping[str, int]) -> None:
        """Let the wire outlive this process, which began to count at these totals."""
        ...


def one_name_each(names: Sequence[str], what: str) -> None:
    """Raise ValueError where two of `what` have one name; for `__post_init__` of options."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two {what} are called {', '.join(twice)}; give one another name")


def both_or_neither(low: float | None, high: float | None) -> None:
    """Raise ValueError for half a range, or one that is none; for `__post_init__` of options."""
    if (low is None) != (high is None):
        raise ValueError("low and high go together")
    if low is not None and high is not None and low >= high:
        raise ValueError("low must be below high")


def lines_of(driver: Any, options: Any) -> dict[str, int]:
    """Return the GPIO lines that a sensor with these options takes, by the option of each."""
    numbers = {name: getattr(options, name, None) for name in driver.lines}
    return {name: number for name, number in numbers.items() if number is not None}


@runtime_checkable
class Identified(Protocol):
    """A driver of a meter that says which one it is, so that an exchange is noticed for certain."""

    def identities(self) -> Mapping[str, str]:
        """Return the number on the meter behind each counter of the newest sample, by quantity.

        Never touches the wire. Only a fingerprint of 16 bits is kept, and none leaves the node.
        """
        ...


def declared(driver: Any, options: Options) -> tuple[Channel, ...]:
    """Return the channels of `driver` as `options` declare them.

    A part that only counts or switches cannot know what: where its options have `observed`, that
    text is the observed property of its first channel.
    """
    channels: tuple[Channel, ...] = driver.declare(options)
    observed: str = getattr(options, "observed", "")
    return (replace(channels[0], observed=observed), *channels[1:]) if observed else channels


def loadable() -> dict[str, Any]:
    """Return all driver classes that a sensor may have, sorted by name; without those that fail."""
    every = find_all()  # whoever asks for one that fails is told why
    return {name: made for name, made in every.items() if not isinstance(made, ConfigError)}


def find(name: str) -> Any:
    """Return the driver class registered as `name` under the entry points `edgenode.drivers`.

    Raises ConfigError naming the known drivers when there is none, or what keeps it from loading.
    """
    return _loaded(name, _known())


def find_all(names: Iterable[str] | None = None) -> dict[str, Any]:
    """Return what `find` gives for each name, or the ConfigError that it raises; None is all.

    The installed packages are looked into once.
    """
    known = _known()
    found: dict[str, Any] = {}
    for name in sorted(known) if names is None else names:
        try:
            found[name] = _loaded(name, known)
        except ConfigError as exc:
            found[name] = exc
    return found


def _known() -> dict[str, EntryPoint]:
    """Look into every installed package; on a slow processor that takes a third of a second."""
    return {point.name: point for point in entry_points(group="edgenode.drivers")}


def _loaded(name: str, known: Mapping[str, EntryPoint]) -> Any:
    if name not in known:
        near = nearest(name, known)
        hint = f"did you mean {near!r}? " if near else ""
        words = f"driver {name!r} is not installed; {hint}known: {', '.join(sorted(known))}"
        raise ConfigError([words])
    try:
        found = known[name].load()
    except (ImportError, AttributeError, SyntaxError) as exc:
        raise ConfigError([f"driver {name!r} cannot be loaded: {exc}"]) from exc
    missing = [member for member in DECLARED if not hasattr(found, member)]
    if missing:
        raise ConfigError([f"driver {name!r} does not declare {', '.join(missing)}"])
    return found
