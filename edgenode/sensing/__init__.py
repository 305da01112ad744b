"""Reading sensors in time: a worker thread per bus that appends samples to a sink."""

from edgenode.sensing.job import Job, Sink, opener
from edgenode.sensing.runner import SensorStats
from edgenode.sensing.schedule import stagger
from edgenode.sensing.worker import BusWorker, WorkerStats

__all__ = ["BusWorker", "Job", "SensorStats", "Sink", "WorkerStats", "opener", "stagger"]
