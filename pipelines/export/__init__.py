"""`studyflow export`: the tables of Rally as files, one per stage and one of all participants."""

from pipelines.export.exporter import ExportResult, export
from pipelines.export.options import ExportOptions, Format
from pipelines.export.pseudonyms import Pseudonyms

__all__ = ["ExportOptions", "ExportResult", "Format", "Pseudonyms", "export"]
