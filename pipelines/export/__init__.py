"""`studyflow export`: the tables of Rally as files, one per stage and one of all participants."""

from pipelines.export.exporter import Exported, export
from pipelines.export.pseudonyms import Pseudonyms
from pipelines.export.tables import Format

__all__ = ["Exported", "Format", "Pseudonyms", "export"]
