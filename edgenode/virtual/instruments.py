"""The instruments that there are, a row each: its table in a scenario, and its class.

Every class is made with `(spec, truth, start_ns)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from edgenode.virtual.ads1115 import Ads1115Spec, VirtualADS1115
from edgenode.virtual.bme280 import Bme280Spec, VirtualBME280
from edgenode.virtual.bme680 import Bme680Spec, VirtualBME680
from edgenode.virtual.bmp280 import Bmp280Spec, VirtualBMP280
from edgenode.virtual.ds3231 import Ds3231Spec, VirtualDS3231
from edgenode.virtual.dsmr import DsmrSpec, VirtualDSMR
from edgenode.virtual.gnss import GnssSpec, VirtualGNSS
from edgenode.virtual.iec62056 import Iec62056Spec, VirtualIEC62056
from edgenode.virtual.kinds import (
    I2CInstrument,
    Instrument,
    LineInstrument,
    OutputInstrument,
    SerialInstrument,
    Table,
)
from edgenode.virtual.lamp import LampSpec, VirtualLamp
from edgenode.virtual.ld2451 import Ld2451Spec, VirtualLD2451
from edgenode.virtual.mbus import MbusSpec, VirtualMBus
from edgenode.virtual.mhz19 import MhZ19Spec, VirtualMHZ19
from edgenode.virtual.modbus import ModbusSpec, VirtualModbus
from edgenode.virtual.ops243 import Ops243Spec, VirtualOPS243
from edgenode.virtual.pms5003 import Pms5003Spec, VirtualPMS5003
from edgenode.virtual.pulse import PulseSpec, VirtualPulse
from edgenode.virtual.pzem004t import Pzem004tSpec, VirtualPZEM004T
from edgenode.virtual.s8 import S8Spec, VirtualS8
from edgenode.virtual.scd4x import Scd4xSpec, VirtualSCD4x
from edgenode.virtual.scd30 import Scd30Spec, VirtualSCD30
from edgenode.virtual.sdm import SdmSpec, VirtualSDM
from edgenode.virtual.sds011 import Sds011Spec, VirtualSDS011
from edgenode.virtual.sen5x import Sen5xSpec, VirtualSEN5x
from edgenode.virtual.sen66 import Sen66Spec, VirtualSEN66
from edgenode.virtual.sgp4x import Sgp4xSpec, VirtualSGP4x
from edgenode.virtual.sht3x import Sht3xSpec, VirtualSHT3x
from edgenode.virtual.sht4x import Sht4xSpec, VirtualSHT4x
from edgenode.virtual.sps30 import Sps30Spec, VirtualSPS30
from edgenode.virtual.sps30_uart import Sps30UartSpec, VirtualSPS30UART
from edgenode.virtual.state import StateSpec, VirtualState
from edgenode.virtual.supply import Ina219Spec, Ina226Spec, VirtualINA219, VirtualINA226
from edgenode.virtual.tfluna import TfLunaSpec, VirtualTFLuna
from edgenode.virtual.tmp117 import Tmp117Spec, VirtualTMP117
from edgenode.virtual.truth import Truth

Made = TypeVar("Made", bound=Instrument)
Kinds = Mapping[type[Table], Callable[[Any, Truth, int], Made]]

I2C: Final[Kinds[I2CInstrument]] = {
    Ads1115Spec: VirtualADS1115,
    Bme280Spec: VirtualBME280,
    Bme680Spec: VirtualBME680,
    Bmp280Spec: VirtualBMP280,
    Ds3231Spec: VirtualDS3231,
    Ina219Spec: VirtualINA219,
    Ina226Spec: VirtualINA226,
    Sen5xSpec: VirtualSEN5x,
    Sen66Spec: VirtualSEN66,
    Sgp4xSpec: VirtualSGP4x,
    Sht4xSpec: VirtualSHT4x,
    Scd30Spec: VirtualSCD30,
    Scd4xSpec: VirtualSCD4x,
    Sht3xSpec: VirtualSHT3x,
    Sps30Spec: VirtualSPS30,
    Tmp117Spec: VirtualTMP117,
}
LINES: Final[Kinds[LineInstrument]] = {PulseSpec: VirtualPulse, StateSpec: VirtualState}
OUTPUTS: Final[Kinds[OutputInstrument]] = {LampSpec: VirtualLamp}
SERIAL: Final[Kinds[SerialInstrument]] = {
    Ld2451Spec: VirtualLD2451,
    Ops243Spec: VirtualOPS243,
    DsmrSpec: VirtualDSMR,
    GnssSpec: VirtualGNSS,
    Iec62056Spec: VirtualIEC62056,
    MbusSpec: VirtualMBus,
    ModbusSpec: VirtualModbus,
    MhZ19Spec: VirtualMHZ19,
    Pms5003Spec: VirtualPMS5003,
    S8Spec: VirtualS8,
    Pzem004tSpec: VirtualPZEM004T,
    SdmSpec: VirtualSDM,
    Sds011Spec: VirtualSDS011,
    Sps30UartSpec: VirtualSPS30UART,
    TfLunaSpec: VirtualTFLuna,
}

Spec = (
    Ads1115Spec
    | Bme680Spec
    | Bmp280Spec
    | Ds3231Spec
    | DsmrSpec
    | GnssSpec
    | Iec62056Spec
    | Ina219Spec
    | Ina226Spec
    | Bme280Spec
    | LampSpec
    | MbusSpec
    | ModbusSpec
    | Ld2451Spec
    | Ops243Spec
    | MhZ19Spec
    | Pms5003Spec
    | S8Spec
    | PulseSpec
    | Pzem004tSpec
    | SdmSpec
    | Sds011Spec
    | Sen5xSpec
    | Sen66Spec
    | Sgp4xSpec
    | Sht4xSpec
    | Scd30Spec
    | Scd4xSpec
    | Sht3xSpec
    | Sps30Spec
    | Sps30UartSpec
    | StateSpec
    | TfLunaSpec
    | Tmp117Spec
)
