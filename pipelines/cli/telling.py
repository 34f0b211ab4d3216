"""How a run tells a chat what came of it, and every way in which it can fail."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from pipelines import stopping
from pipelines.cli.app import complain, setting
from pipelines.errors import StudyflowError, sentence

if TYPE_CHECKING:
    from pipelines.outcome import Outcome

VARIABLE = "STUDYFLOW_CHAT"


def _target(value: str | None) -> str | None:
    if value:
        from pipelines.chat import check_target

        try:
            check_target(value)
        except StudyflowError as error:
            raise typer.BadParameter(str(error)) from error
    return value


Chat = Annotated[
    str | None,
    setting(
        "chat",
        "Post a summary to this Slack webhook, or write it to this .json file. Failures are posted too. "
        "The address is a secret: set the variable instead, because others can read command lines.",
        metavar="FILE_OR_URL",
        show_envvar=True,
        callback=_target,
    ),
]


class ToldToChat(TyperCommand):
    """A command of which the chat learns, too, that it was called with a value that cannot be right."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as typer has it
        """Read options and variables."""
        try:
            return super().make_context(*args, **kwargs)
        except typer.BadParameter as error:
            target = os.environ.get(VARIABLE)
            if "--chat" not in error.format_message():
                _tell(f"called wrongly: {error.format_message()}", target)
            raise


@contextmanager
def telling_of_failure(chat: str | None) -> Iterator[None]:
    """Tell the chat why a run could not be done, however it ends."""
    try:
        yield
    except BaseException as error:
        cause = error.__cause__ if isinstance(error, typer.Exit) else error
        said = f"stopped by {signal}" if (signal := stopping.stop_signal()) else cause and sentence(cause)
        # The text of an unexpected error may have ids in it, which do not belong in a chat.
        _tell(said or f"an unexpected error ({type(error).__name__}); the log has the details", chat)
        raise


def has_told(outcome: "Outcome", chat: str) -> bool:
    """Tell the chat what came of a run; whether it took it."""
    from pipelines.chat import of_run

    return _send(of_run(outcome), chat)


def _tell(problem: str, chat: str | None) -> None:
    if chat:
        from pipelines.chat import of_failure

        _send(of_failure(problem), chat)


def _send(message: dict[str, Any], chat: str) -> bool:
    from pipelines.chat import send

    try:
        send(message, chat)
    except StudyflowError as error:
        complain(error)
        return False
    return True
