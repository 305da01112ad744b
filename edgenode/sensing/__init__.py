"""Reading sensors in time: a worker thread per bus that appends samples to a sink."""

from edgenode.sensing.board import Board
from edgenode.sensing.channels import channels_of
from edgenode.sensing.demand import Answer
from edgenode.sensing.job import Job, Sink
from edgenode.sensing.life import LifeStats
from edgenode.sensing.maintenance import Maintenance
from edgenode.sensing.opening import Wires
from edgenode.sensing.rules import (
    Calibration,
    ChannelRules,
    LeakRules,
    LifeRules,
    MeterRules,
    SensorRules,
)
from edgenode.sensing.rungs import Since
from edgenode.sensing.schedule import stagger
from edgenode.sensing.stats import (
    Evidence,
    FailureStats,
    LeverStats,
    SensorStats,
    TwinStats,
    WorkerStats,
)
from edgenode.sensing.worker import BusWorker

__all__ = [
    "Answer",
    "Board",
    "BusWorker",
    "Calibration",
    "ChannelRules",
    "Evidence",
    "FailureStats",
    "Job",
    "LeakRules",
    "LeverStats",
    "LifeRules",
    "LifeStats",
    "Maintenance",
    "MeterRules",
    "SensorRules",
    "SensorStats",
    "Since",
    "Sink",
    "TwinStats",
    "Wires",
    "WorkerStats",
    "channels_of",
    "stagger",
]
