"""`studyflow export`: write a table per stage as in Rally, one of all participants, and lists to work from."""

from pipelines.export.exporter import ExportResult, export
from pipelines.export.options import ExportOptions
from pipelines.export.pseudonyms import Pseudonyms

__all__ = ["ExportOptions", "ExportResult", "Pseudonyms", "export"]
