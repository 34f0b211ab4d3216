"""The session of Spark that loads and builds: dbt uses the same one, which is as profiles.yml says."""

import importlib.util
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import jinja2

from pipelines.errors import StudyflowError
from pipelines.settings import PACKAGE, PROJECT
from pipelines.yaml_files import read_yaml

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def missing() -> list[str]:
    """What Spark needs and this machine does not have."""
    has_extra = all(importlib.util.find_spec(package) for package in ("pyspark", "dbt.adapters.spark"))
    has_java = bool(os.environ.get("JAVA_HOME") or shutil.which("java"))
    needs = (("the extra studyflow[spark] (make setup-spark)", has_extra), ("Java 17 or newer", has_java))
    return [name for name, is_there in needs if not is_there]


@contextmanager
def session() -> Iterator["SparkSession"]:
    """A session, stopped at the end.

    Raises:
        StudyflowError: something is missing here, or the cluster cannot be reached.
    """
    if lacking := missing():
        msg = f"--engine spark needs {' and '.join(lacking)}. See docs/spark.md."
        raise StudyflowError(msg)
    from pyspark.errors import PySparkException  # noqa: PLC0415 - takes a second
    from pyspark.sql import SparkSession  # noqa: PLC0415

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # what runs the tasks of a local session
    os.environ.setdefault("SPARK_LOCAL_IP", os.environ.get("STUDYFLOW_SPARK_HOST", "127.0.0.1"))
    # dbt asks for Hive with each statement, which only a new session can have, and no server gives
    warnings.filterwarnings("ignore", message="Failed to set spark.sql.catalogImplementation")
    builder = SparkSession.builder
    for name, value in _parameters(target()).items():
        builder = builder.config(name, value)
    try:
        spark = builder.getOrCreate()
    except (PySparkException, OSError) as error:
        msg = f"Spark cannot be started, or its cluster not reached. See docs/spark.md. Spark says: {error}"
        raise StudyflowError(msg) from error
    try:
        yield spark
    finally:
        spark.stop()


def target() -> str:
    """The target of profiles.yml that says where Spark runs."""
    return "spark_connect" if os.environ.get("STUDYFLOW_SPARK_CONNECT") else "spark"


def _parameters(target: str) -> dict[str, str]:
    """What the project's profiles.yml says of a target of Spark, with the variables of this process.

    Raises:
        StudyflowError: it says nothing of it.
    """
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - settings, not HTML
    environment.globals["env_var"] = os.environ.get
    file = PROJECT / "profiles.yml"
    try:
        profile = read_yaml(file)[read_yaml(PROJECT / "dbt_project.yml")["profile"]]
        said = profile["outputs"][target]["server_side_parameters"]
    except (KeyError, TypeError) as error:
        msg = f"{file}: has no target {target} with server_side_parameters. Copy it from {PACKAGE / 'profiles.yml'}."
        raise StudyflowError(msg) from error
    return {name: environment.from_string(str(value)).render() for name, value in said.items()}
