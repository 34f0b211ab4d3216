"""`studyflow check`: whether the staged changes, the marts and the line counts are what they must be."""

from pipelines.check.render import render
from pipelines.check.report import Finding, Report, as_dict
from pipelines.check.runner import check, prepare

__all__ = ["Finding", "Report", "as_dict", "check", "prepare", "render"]
