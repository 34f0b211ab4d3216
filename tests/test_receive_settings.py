"""How `studyflow receive` is called: options, secrets, the extra; what is wrong is said before anything is received."""

import sys
from pathlib import Path

import pytest
from receiving import (
    OLD_SECRET,
    SECRET,
)
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.errors import StudyflowError
from pipelines.receive.signatures import read_secrets

WRONGLY_CALLED = {
    "no folder": ([], "Say where deliveries are to be written"),
    "a folder that is not there": (["--receive-folder", "/nowhere/webhooks"], "there is no such folder"),
    "no port": (["--listen", "localhost"], "is not an address and a port"),
    "a port that is none": (["--listen", "127.0.0.1:65536"], "is not an address and a port"),
    "no unit of time": (["--run-every", "15"], "is not a time between runs"),
    "no time at all": (["--run-every", "0m"], "is not a time between runs"),
}


@pytest.mark.parametrize(("options", "problem"), WRONGLY_CALLED.values(), ids=WRONGLY_CALLED)
def test_what_cannot_be_right_is_said_before_anything_is_received(options: list[str], problem: str) -> None:
    done = CliRunner().invoke(app, ["receive", *options], env={"STUDYFLOW_RECEIVE_FOLDER": None, "COLUMNS": "300"})
    assert done.exit_code
    assert problem in done.output + str(done.exception)


def test_without_the_extra_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("pipelines.receive.", "standardwebhooks"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "standardwebhooks", None)
    done = CliRunner().invoke(app, ["receive", "--receive-folder", str(tmp_path)])
    assert 'pip install "studyflow[receive]"' in str(done.exception)


SECRETS = {
    "none": ({}, "there is no signing secret"),
    "blank": ({"STUDYFLOW_WEBHOOK_SECRETS": " ,\n"}, "there is no signing secret"),
    "no prefix": ({"STUDYFLOW_WEBHOOK_SECRETS": "hunter2"}, "secret 1 of 1 is not complete"),
    "no base64": ({"STUDYFLOW_WEBHOOK_SECRETS": f"{SECRET},whsec_hunter2!"}, "secret 2 of 2 is not complete"),
    "too short": ({"STUDYFLOW_WEBHOOK_SECRETS": "whsec_aGVsbG8="}, "secret 1 of 1 is not complete"),
    "no file": ({"STUDYFLOW_WEBHOOK_SECRETS_FILE": "/nowhere/secrets"}, "/nowhere/secrets: the file of STUDYFLOW_"),
    "both": ({"STUDYFLOW_WEBHOOK_SECRETS": SECRET, "STUDYFLOW_WEBHOOK_SECRETS_FILE": "x"}, "Unset one of them"),
}


@pytest.mark.parametrize(("variables", "problem"), SECRETS.values(), ids=SECRETS)
def test_secrets_that_cannot_be_right_are_refused_and_not_repeated(variables: dict[str, str], problem: str) -> None:
    """The library would take a secret with a typo for another one, and refuse every delivery."""
    with pytest.raises(StudyflowError, match=problem) as refused:
        read_secrets(variables)
    assert "hunter2" not in str(refused.value)


def test_secrets_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text(f"{SECRET}\n{OLD_SECRET.rstrip('=')}\n")
    assert read_secrets({"STUDYFLOW_WEBHOOK_SECRETS_FILE": str(file)}) == [SECRET, OLD_SECRET.rstrip("=")]
