"""The option --chat: posts the outcome of a run, or why it failed, to a chat."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from pipelines import stopping
from pipelines.cli.app import print_problems, setting, usage_errors
from pipelines.errors import StudyflowError, sentence

if TYPE_CHECKING:
    from pipelines.outcome import Outcome


def _target(value: str | None) -> str | None:
    if value:
        from pipelines.chat import check_target

        with usage_errors():
            check_target(value)
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


class ChatCommand(TyperCommand):
    """A command that posts to the chat when it is called with an invalid value."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the types of TyperCommand
        """Parse options and environment variables."""
        try:
            return super().make_context(*args, **kwargs)
        except typer.BadParameter as error:
            target = os.environ.get("STUDYFLOW_CHAT")
            if "--chat" not in error.format_message():
                _post_failure(f"called wrongly: {error.format_message()}", target)
            raise


@contextmanager
def failures_posted(chat: str | None) -> Iterator[None]:
    """Post every exception of the block to the chat, if there is one, and raise it again."""
    try:
        yield
    except BaseException as error:
        problem = f"stopped by {signal}" if (signal := stopping.stop_signal()) else sentence(error)
        # The text of an unexpected error is left out: it may contain ids.
        _post_failure(problem or f"an unexpected error ({type(error).__name__}); the log has the details", chat)
        raise


def post_outcome(outcome: "Outcome", chat: str) -> bool:
    """Post the outcome of a run to the chat; return whether that succeeded."""
    from pipelines.chat import run_message

    return _post(run_message(outcome), chat)


def _post_failure(problem: str, chat: str | None) -> None:
    if chat:
        from pipelines.chat import failure_message

        _post(failure_message(problem), chat)


def _post(message: dict[str, Any], chat: str) -> bool:
    from pipelines.chat import send

    try:
        send(message, chat)
    except StudyflowError as error:
        print_problems(error)
        return False
    return True
