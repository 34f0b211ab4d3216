"""What a scheduled run leaves beside tables and exports: an archive of reports, and a summary for a chat."""

from pipelines.schedule.chat import of_failure, of_run, send

__all__ = ["of_failure", "of_run", "send"]
