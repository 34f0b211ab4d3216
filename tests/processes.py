"""Commands and whole runs in processes of their own, forked from one that has imported everything and parsed the project.

Python, dbt and the parsing of the project take a command some ten seconds to start, which is no part of what most tests
are about. `studyflow` runs the command as the shell would: its own process, arguments, environment and streams. Where
another project, other rights or closed streams are the point, it is started anew.
"""

import gc
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
PARSED = "TESTS_PARSED_PROJECT"
"""The variable that names the file in which dbt keeps the parsed project."""
DATABASE = "w.duckdb"
"""The name that warehouses need for that: dbt puts a database's name into what it has parsed."""
BUILD_VARS = "TESTS_BUILD_VARS"
"""The variable with values, as JSON, that builds of a command take for the vars of dbt_project.yml."""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["pipelines.run", "pipelines.export", "pipelines.check.rows", "dbt.cli.main", "preloaded"]
)


def start_fork_server() -> None:
    """Start the process that the others are forked from, unless it runs: the earlier, the less they need to read anew."""
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), before])  # where preloaded.py is
    try:
        forkserver.ensure_running()
    finally:
        os.environ["PYTHONPATH"] = before


def studyflow(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the project's folder with nothing of ours in its environment but what is given."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("STUDYFLOW_")}
    given |= {"COLUMNS": "100", **environment}
    arguments = [str(word) for word in words]
    if "STUDYFLOW_PROJECT" in environment:
        return subprocess.run(
            [sys.executable, "-m", "pipelines", *arguments],
            cwd=PROJECT,
            env=given,
            capture_output=True,
            text=True,
            check=False,
        )
    return _forked(_studyflow, arguments, PROJECT, given)


def dbt(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run dbt, quietly, in a project's folder with nothing of ours in its environment but what is given."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("STUDYFLOW_", "DBT_"))}
    return _forked(_dbt, ["--quiet", *arguments], folder, given | environment)


def _forked(
    command: Callable[[list[str]], None], arguments: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    with TemporaryDirectory() as scratch:
        said = [Path(scratch) / "stdout", Path(scratch) / "stderr"]
        process = PROCESSES.Process(target=_main, args=(command, arguments, folder, environment, said))
        process.start()
        process.join()
        assert process.exitcode is not None
        out, err = (path.read_text(encoding="utf-8") for path in said)
    return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _main(
    command: Callable[[list[str]], None],
    arguments: list[str],
    folder: Path,
    environment: Mapping[str, str],
    said: list[Path],
) -> None:
    gc.disable()  # as pipelines.builder does: it takes a tenth of dbt's time
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in enumerate(said, start=1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    command(arguments)


def _studyflow(arguments: list[str]) -> None:
    from pipelines.cli import main  # noqa: PLC0415 - what is preloaded must not open databases

    if PARSED in os.environ:
        use_parsed_project()
    sys.argv = ["studyflow", *arguments]
    main()


def _dbt(arguments: list[str]) -> None:
    from dbt.cli.main import cli  # noqa: PLC0415 - takes seconds

    cli(arguments)


def use_parsed_project() -> None:
    """Let dbt, in this very process, begin with the project as it was parsed once.

    That is where the warehouse is called as it was then. A run does not start a process of its own to build here: that
    would import dbt and parse the project anew. test_builder.py is about that process.
    """
    from dbt.cli import main  # noqa: PLC0415 - takes seconds

    from pipelines import build, builder, run  # noqa: PLC0415 - likewise

    class Runner(main.dbtRunner):
        def __init__(self, manifest: Any = None, callbacks: Any = None) -> None:  # noqa: ANN401 - as dbt has it
            if manifest is None and PARSED in os.environ and Path(os.environ["STUDYFLOW_DATABASE"]).name == DATABASE:
                manifest = parsed_project(Path(os.environ[PARSED]))
            super().__init__(manifest, callbacks)

    class BuilderHere(builder.Builder):
        def start(self) -> None:
            pass

        def build(self) -> int:
            return build.build(self.settings)

    if BUILD_VARS in os.environ:
        build.ARGUMENTS = [*build.ARGUMENTS, "--vars", os.environ[BUILD_VARS]]
    main.dbtRunner = Runner  # type: ignore[misc]
    run.Builder = BuilderHere  # type: ignore[attr-defined]


@cache
def parsed_project(file: Path) -> Any:  # noqa: ANN401 - dbt is not imported yet
    """The project as dbt has parsed it, with which any number of builds may begin."""
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415 - takes seconds
    from dbt.parser.manifest import extended_mashumuro_decoder  # noqa: PLC0415

    manifest = Manifest.from_msgpack(file.read_bytes(), decoder=extended_mashumuro_decoder)
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest
