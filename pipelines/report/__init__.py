"""The report: what changed, what needs action, and how each study is doing, as one HTML file and as Markdown."""

from pipelines.report.archive import file_report
from pipelines.report.writer import Format, ReportRequest, Written, write

__all__ = ["Format", "ReportRequest", "Written", "file_report", "write"]
