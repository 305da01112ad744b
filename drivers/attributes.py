"""What the kernel's files of sensors have in common: finding the device, and taking a value.

Both classes of the kernel, IIO and hwmon, give a directory for each device with its `name` and a
file for each value. The number of the directory is given in the order of finding, so it is never
the number that a device is known by.
"""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, ClassVar, Final, NamedTuple

from msgspec import Meta

from edgenode.bus import Tree
from edgenode.driver import Driver, Found, Grade, Options, WireKind, one_name_each
from edgenode.errors import BusError, WrongDevice
from edgenode.reading import Channel, Kind, Quality, Sample

I2C: Final = "sys/bus/i2c/devices"
MOST: Final = 16  # values of one device

Attribute = Annotated[str, Meta(pattern="^[a-z]+[0-9]*(-[a-z]+[0-9]*)?(_[a-z0-9]+)?$")]
Attributes = Annotated[tuple[Attribute, ...], Meta(min_length=1, max_length=MOST)]


class Measured(NamedTuple):
    """A type of value: its quantity, its unit, and what the kernel's number is multiplied by."""

    quantity: str
    unit: str
    factor: float
    scale: int
    observed: str = ""
    kind: Kind = Kind.GAUGE

    def channel(self, suffix: str = "") -> Channel:
        """Return the channel of one value of this type."""
        name = self.quantity + suffix
        return Channel(name, self.unit, self.scale, self.kind, observed=self.observed)


class DeviceOptions(Options, frozen=True):
    """Which device of the kernel: what its file `name` says, and where it stands."""

    device: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_.,+-]{1,64}$",
            title="which device of the kernel",
            description="what the file `name` of the device says, such as bmp280",
        ),
    ]
    read: Annotated[
        Attributes, Meta(title="which of its values become channels", description="up to 16 names")
    ]
    at: Annotated[
        str,
        Meta(
            pattern="^([0-9]+-[0-9a-f]{4})?$",
            title="which of two devices of a name",
            description="where it stands, such as 1-0076: bus and address; where two have a name",
        ),
    ] = ""


def only_known(
    names: Sequence[str], channel: Callable[[str], Channel | None], types: Iterable[str]
) -> None:
    """Raise ValueError for a value that has no unit here, or is named twice."""
    for name in names:
        if channel(name) is None:
            known = ", ".join(types)
            raise ValueError(f"`{name}` is no value with a unit here; there are: {known}")
    one_name_each(names, "values")


class Directory(NamedTuple):
    """A device: where its files are, its name, and its I2C bus and address where it has them."""

    path: str
    name: str
    at: str


class KernelDevice(Driver):
    """One device of the kernel, of either class; the kernel's driver speaks with the part."""

    wire: ClassVar[WireKind] = "sysfs"
    varies: ClassVar[bool] = True
    fastest_s: ClassVar[float] = 0.1
    grade: ClassVar[Grade] = "oracle"
    shelf: ClassVar[str]  # where the kernel keeps a link to each device of the class
    inner: ClassVar[str]  # below an I2C client: the directory that holds its devices of the class
    file: ClassVar[re.Pattern[str]]  # of a value; its first group is the value's name

    def __init__(self, wire: Tree, options: DeviceOptions) -> None:
        self._tree, self._options = wire, options
        self._own = self.declare(options)
        self._path = self._found().path
        self._where = f"{options.device} ({self._path.rpartition('/')[2]})"

    @staticmethod
    @abstractmethod
    def channel(name: str) -> Channel | None:
        """Return the channel of a value by its name, None for one that has no unit here."""

    @abstractmethod
    def value(self, name: str) -> tuple[float | None, Quality]:
        """Return a value in the unit of its channel; MISSING where no file can be read."""

    @classmethod
    def declare(cls, options: DeviceOptions) -> tuple[Channel, ...]:
        """Return a channel for each value that is read."""
        return tuple(channel for name in options.read if (channel := cls.channel(name)))

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels of this device."""
        return self._own

    @classmethod
    def survey(cls, tree: Tree) -> tuple[Found, ...]:
        """Return every device that has a value with a unit here."""
        found = []
        for one in cls._every(tree):
            files = (cls.file.fullmatch(entry) for entry in tree.names(one.path))
            names = [n for n in dict.fromkeys(f[1] for f in files if f) if cls.channel(n)][:MOST]
            if names:
                options = {"device": one.name, "read": names} | ({"at": one.at} if one.at else {})
                found.append(Found(f"{one.name}: {', '.join(names)}", options))
        return tuple(found)

    def read(self, now_ms: int) -> Sample:
        """Read each file once. Raises BusError where the device is gone or says nothing."""
        del now_ms  # the kernel's driver measures now, or keeps its values fresh by itself
        if self._tree.text(f"{self._path}/name") != self._options.device:
            raise BusError(f"{self._where}: its number is another device's; looking for it anew")
        found = [self.value(name) for name in self._options.read]
        if all(quality is Quality.MISSING for _, quality in found):
            raise BusError(
                f"{self._where}: the kernel's driver reads nothing; is the part still there?"
            )
        quality = tuple(how for _, how in found)
        return Sample(tuple(value for value, _ in found), quality if any(quality) else ())

    def close(self) -> None:
        """Nothing is open."""
        self._tree.close()

    def text(self, file: str) -> str | None:
        """Return what a file of the device says, None where it cannot be read."""
        return self._tree.text(f"{self._path}/{file}")

    def _found(self) -> Directory:
        """Return the one device that the options mean. Raises BusError, WrongDevice."""
        wanted, every = self._options, list(self._every(self._tree))
        fit = [one for one in every if one.name == wanted.device and wanted.at in {"", one.at}]
        where = f" at {wanted.at}" if wanted.at else ""
        if not fit:
            others = ", ".join(sorted({one.name for one in every})) or "none"
            raise BusError(
                f"the kernel has no {wanted.device}{where} in /{self.shelf} (there are: {others}); "
                "is its driver bound, and the part on its wire?"
            )
        if len(fit) > 1:
            places = ", ".join(one.at or one.path for one in fit)
            raise WrongDevice(
                f"the kernel has {len(fit)} devices called {wanted.device}; write which one, "
                f'as in at = "{fit[0].at}" (there are: {places})'
            )
        return fit[0]

    @classmethod
    def _every(cls, tree: Tree) -> Iterator[Directory]:
        """Yield every device of the class, with the I2C client that it belongs to."""
        stands = {
            entry: client
            for client in tree.names(I2C)
            for entry in tree.names("/".join(filter(None, (I2C, client, cls.inner))))
        }
        for entry in tree.names(cls.shelf):
            name = tree.text(f"{cls.shelf}/{entry}/name")
            if name:
                yield Directory(f"{cls.shelf}/{entry}", name, stands.get(entry, ""))


def number(text: str | None) -> float | None:
    """Return what a file says, None where it says no finite number."""
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def judged(text: str | None, value: float | None, factor: float) -> tuple[float | None, Quality]:
    """Return a value in our unit: MISSING where there was no file, FAULT where it says nonsense."""
    if value is None:
        return None, Quality.MISSING if text is None else Quality.FAULT
    return value * factor, Quality.OK
