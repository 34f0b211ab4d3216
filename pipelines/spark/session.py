"""The Spark session for loading and building, with the settings of profiles.yml. dbt uses the same session."""

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
    """The requirements of Spark that this machine lacks, as text."""
    has_extra = all(importlib.util.find_spec(package) for package in ("pyspark", "dbt.adapters.spark"))
    has_java = bool(os.environ.get("JAVA_HOME") or shutil.which("java"))
    needs = (("the extra studyflow[spark] (make setup-spark)", has_extra), ("Java 17 or newer", has_java))
    return [name for name, is_there in needs if not is_there]


@contextmanager
def session() -> Iterator["SparkSession"]:
    """A Spark session, stopped when the block ends.

    Raises:
        StudyflowError: a requirement is missing, or the cluster cannot be reached.
    """
    if lacking := missing():
        msg = f"--engine spark needs {' and '.join(lacking)}. See docs/spark.md."
        raise StudyflowError(msg)
    from pyspark.errors import PySparkException  # noqa: PLC0415 - takes a second
    from pyspark.sql import SparkSession  # noqa: PLC0415

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # tasks of a local session run with this Python
    os.environ.setdefault("SPARK_LOCAL_IP", os.environ.get("STUDYFLOW_SPARK_HOST", "127.0.0.1"))
    # dbt sets the catalogue to Hive with each statement. Only a new session could do this, and Spark Connect never can.
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
    """The target of profiles.yml for Spark: a server if STUDYFLOW_SPARK_CONNECT is set, else a local session."""
    return "spark_connect" if os.environ.get("STUDYFLOW_SPARK_CONNECT") else "spark"


def _parameters(target: str) -> dict[str, str]:
    """Spark's parameters for a target in the project's profiles.yml, with environment variables filled in.

    Raises:
        StudyflowError: profiles.yml has no such target or parameters.
    """
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - settings, not HTML
    environment.globals["env_var"] = os.environ.get
    file = PROJECT / "profiles.yml"
    try:
        profile = read_yaml(file)[read_yaml(PROJECT / "dbt_project.yml")["profile"]]
        parameters = profile["outputs"][target]["server_side_parameters"]
    except (KeyError, TypeError) as error:
        msg = f"{file}: has no target {target} with server_side_parameters. Copy it from {PACKAGE / 'profiles.yml'}."
        raise StudyflowError(msg) from error
    return {name: environment.from_string(str(value)).render() for name, value in parameters.items()}
