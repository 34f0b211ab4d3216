"""dbt's own tests, without dbt's own time: data tests as queries on the sample, unit tests on its tables.

`dbt build` runs them all one by one in test_dbt_project.py, which takes minutes and is marked slow.
"""

import json
import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from product import Product, query_of

from pipelines import build as build_module
from pipelines.build import dbt_folders, run_dbt
from pipelines.settings import PROJECT, Settings, sample_as_of


def test_all_data_tests_pass_on_the_sample(product: Product, sample: duckdb.DuckDBPyConnection) -> None:
    """Keys, relations, accepted values, and the rules over several rows or tables. Warnings are of what the sample has."""
    failed = {}
    for test in product.data_tests:
        [[count]] = sample.execute(f"select count(*) from ({query_of(test, sample_as_of())})").fetchall()
        if count and test["config"]["severity"].lower() == "error":
            failed[test["name"]] = count
    assert failed == {}
    assert len(product.data_tests) > 150


@pytest.mark.usefixtures("parsed_project")
def test_all_unit_tests_pass(
    product: Product, sample_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The logic of each model, on rows made by hand. dbt asks the tables of the sample for the types of columns."""
    settings = Settings((), tmp_path / "w.duckdb", tmp_path / "exports", sample_as_of())
    shutil.copy(sample_database, settings.database)
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    places = ("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--log-level", "none")
    monkeypatch.setattr(build_module, "ARGUMENTS", ["test", "--select", "test_type:unit", *places])
    run_dbt(settings, dbt_folders(settings.warehouse))
    results = json.loads((tmp_path / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    said = Counter(result["status"] for result in results if result["unique_id"].startswith("unit_test."))
    assert said == {"pass": len(product.unit_tests)}
