"""What can be done with a spool's files while no daemon serves them, and most of it beside one."""

from edgenode.spool.export import Exported, export, salvage
from edgenode.spool.survey import SpoolSurvey, StreamSurvey, Survey, survey
from edgenode.spool.verify import Finding, Verification, verify

__all__ = [
    "Exported",
    "Finding",
    "SpoolSurvey",
    "StreamSurvey",
    "Survey",
    "Verification",
    "export",
    "salvage",
    "survey",
    "verify",
]
