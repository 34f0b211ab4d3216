"""`studyflow export`: the tables of Rally as files, one per stage and one of all participants."""

from pipelines.export.exporter import Exported, export
from pipelines.export.options import ExportOptions, Format
from pipelines.export.pseudonyms import Pseudonyms

__all__ = ["ExportOptions", "Exported", "Format", "Pseudonyms", "export"]
