"""The node as metrics: a table of them, their samples from the documents, OpenMetrics text."""

from edgenode.metrics.gather import metrics_of
from edgenode.metrics.table import TABLE, Spec
from edgenode.metrics.text import Metric, Sample, openmetrics

__all__ = ["TABLE", "Metric", "Sample", "Spec", "metrics_of", "openmetrics"]
