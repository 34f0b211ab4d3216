"""The one kind of failure a person is shown: what went wrong, where, and what to do."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a scheduler reads: 0 done, 1 failed, 2 wrong usage, 3 done but data checks failed."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CHECKS_FAILED = 3


class StudyflowError(Exception):
    """Work could not be done. The message names the file or setting and says what to do."""

    exit_code = ExitCode.FAILED


class UsageError(StudyflowError):
    """The command was called with a value that it cannot have, or does not apply here."""

    exit_code = ExitCode.USAGE


class SourceError(StudyflowError):
    """One source file could not be read; the others still load."""

    def __init__(self, source_file: str, problem: str) -> None:
        super().__init__(f"{source_file}: {problem}")
        self.source_file = source_file
        self.problem = problem


def sentence(error: BaseException) -> str | None:
    """What to tell people of an error that can happen to anyone; None where it should not have happened."""
    if isinstance(error, StudyflowError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'a file or standard output'}: {error.strerror or error}."
    if isinstance(error, MemoryError):
        return "There is not enough memory. Close other programs, or give this machine more."
    return None
