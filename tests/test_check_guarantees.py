"""What constraints guarantee is not read: each rule about a value is enforced by its table, or read as before."""

from collections import defaultdict

import duckdb
import pytest
from check_warehouse import AS_OF, CONTRACTS, TABLES, broken_sample, counts, report_of_broken
from product import Product
from test_check_rows import broken_by, column_rules

from pipelines.check.runner import names_of_tables
from pipelines.check.schemas import schema_of

CHANGES = "marts.status_changes"


def with_constraints(name: str, table: str) -> str:
    """The statements that make a table of the sample anew as its contract says."""
    definitions = ", ".join(column.definition for column in CONTRACTS[name].columns)
    return f"""
    create table of_contract ({definitions});
    insert into of_contract by name from {table};
    drop table {table};
    create table {table} ({definitions});
    insert into {table} by name from of_contract order by rowid;
    drop table of_contract
    """


def left_to_read(name: str) -> set[tuple[str, str]]:
    """The rules of a table whose constraints guarantee the rest."""
    schema = schema_of(TABLES[name], name, defaultdict(list), AS_OF, is_guaranteed=True)
    return {(str(column), str(check.name)) for column, said in schema.columns.items() for check in said.checks}


@pytest.mark.parametrize("name", TABLES)
def test_a_rule_is_enforced_or_read(name: str) -> None:
    """A value that breaks a rule which is not read is refused by the table."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("set timezone = 'UTC'")
        for _, column, rule in [found for found in column_rules() if found[0] == name]:
            definitions = ", ".join(found.definition for found in TABLES[name].columns if found.name == column)
            connection.execute(f"create or replace table of_contract ({definitions})")
            insert = f"insert into of_contract values ({broken_by(rule)})"
            if (column, rule) in left_to_read(name):
                connection.execute(insert)
            else:
                with pytest.raises(duckdb.ConstraintException):
                    connection.execute(insert)


def test_what_is_read_is_still_found(product: Product) -> None:
    """With its key in the sample rows, although the first look does not read the key."""
    with broken_sample(product) as connection:
        [(first,)] = connection.execute(f"select min(participant_id) from {CHANGES}").fetchall()
    report = report_of_broken(
        product,
        with_constraints("status_changes", CHANGES),
        f"update {CHANGES} set prior_status = 'OTHER' where participant_id = '{first}' and sequence_number = 1",
    )
    finding = next(found for found in report.failures if found.rule == "prior_status is in stg_statuses.status")
    assert finding.count == 1
    assert finding.sample_rows["participant_id"].to_list() == [first]


def test_a_table_that_lost_a_constraint_is_read(product: Product) -> None:
    """One is enough: nobody knows what else was done to the table."""
    report = report_of_broken(
        product,
        with_constraints("status_changes", CHANGES),
        f"alter table {CHANGES} alter deliveries drop not null",
        f"update {CHANGES} set deliveries = null where is_inferred and sequence_number = 1",
    )
    assert (CHANGES, "deliveries is never null") in counts(report.failures)


def test_rules_and_rows_are_counted_alike(product: Product) -> None:
    """A rule that is guaranteed is a rule, and each row of a table keeps it."""
    read = report_of_broken(product)
    guaranteed = report_of_broken(product, *(with_constraints(name, tables) for name, tables in full_names(product)))
    assert guaranteed.ok
    assert (guaranteed.rules, guaranteed.rows) == (read.rules, read.rows)


def full_names(product: Product) -> list[tuple[str, str]]:
    """Tables with contracts, by their names in dbt, with their names in the warehouse."""
    with broken_sample(product) as connection:
        tables = names_of_tables(connection)
    return [(name, tables[name]) for name in TABLES]
