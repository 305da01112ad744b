"""Reading sensors in time: a worker thread per bus that appends samples to a sink."""

from edgenode.sensing.job import Job, Sink
from edgenode.sensing.opening import Wires
from edgenode.sensing.rules import Calibration, ChannelRules, SensorRules
from edgenode.sensing.runner import SensorStats
from edgenode.sensing.schedule import stagger
from edgenode.sensing.worker import BusWorker, WorkerStats

__all__ = [
    "BusWorker",
    "Calibration",
    "ChannelRules",
    "Job",
    "SensorRules",
    "SensorStats",
    "Sink",
    "Wires",
    "WorkerStats",
    "stagger",
]
