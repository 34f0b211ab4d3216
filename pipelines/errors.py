"""Errors that are shown to users as one message: what is wrong, where, and what to do."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit code of a command: 0 done, 1 failed, 2 wrong usage, 3 done but data checks failed."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CHECKS_FAILED = 3


class StudyflowError(Exception):
    """A failure with a message for users, which names the file or setting and says what to do."""

    exit_code = ExitCode.FAILED


class UsageError(StudyflowError):
    """The command was called with an invalid value, or cannot be used here."""

    exit_code = ExitCode.USAGE


class SourceError(StudyflowError):
    """One source file could not be read; the others still load."""

    def __init__(self, source_file: str, problem: str) -> None:
        super().__init__(f"{source_file}: {problem}")
        self.source_file = source_file
        self.problem = problem


def sentence(error: BaseException) -> str | None:
    """The message to show users for an expected error; None for an unexpected one, i.e. a bug."""
    if isinstance(error, StudyflowError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'a file or standard output'}: {error.strerror or error}."
    if isinstance(error, MemoryError):
        return "There is not enough memory. Close other programs, or give this machine more."
    return None
