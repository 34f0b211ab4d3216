"""`studyflow check`: check all tables of a warehouse against their contracts, keys and rules."""

from pipelines.check.render import render
from pipelines.check.report import Finding, Report, as_dict
from pipelines.check.runner import check, prepare

__all__ = ["Finding", "Report", "as_dict", "check", "prepare", "render"]
