"""`studyflow check`: whether the staged changes, the marts and the line counts are what they must be."""

from pipelines.builds import was_checked
from pipelines.check.render import render
from pipelines.check.report import Finding, Report, as_dict
from pipelines.check.runner import check
from pipelines.check.scope import EVERYTHING, Scope, scope_of_build
from pipelines.check.state import record_checked

__all__ = [
    "EVERYTHING",
    "Finding",
    "Report",
    "Scope",
    "as_dict",
    "check",
    "record_checked",
    "render",
    "scope_of_build",
    "was_checked",
]
