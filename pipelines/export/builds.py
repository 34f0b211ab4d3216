"""Which build the marts are of, and which studies it touched, as dbt left word in the warehouse."""

from dataclasses import dataclass

import duckdb

from pipelines.warehouse import has_table, only_row


@dataclass(frozen=True, slots=True)
class Build:
    """What a build made its tables of. Two that are equal made the same tables, also in a copy of the warehouse.

    `loads` is a hash of when each load was: two warehouses that load by themselves differ in it, whatever their numbers.
    """

    build_id: int
    as_of: str
    load_id: int
    fingerprint: str
    loads: str


@dataclass(frozen=True, slots=True)
class Marts:
    """The build that the marts are of; if it only put in what is new, the build it did that to and the studies it touched."""

    build: Build
    before: Build | None
    touched: frozenset[str]


def marts(connection: duckdb.DuckDBPyConnection) -> Marts | None:
    """What is known of the marts: nothing unless the last build ended completely and told of itself in this form."""
    try:
        return _marts(connection)
    except duckdb.BinderException:
        return None


def _marts(connection: duckdb.DuckDBPyConnection) -> Marts | None:
    needed = (("state", "this_build"), ("state", "last_build"), ("raw", "loads"))
    if not all(has_table(connection, schema, table) for schema, table in needed):
        return None
    found = connection.execute("""
        select
            this_build.build_id, epoch_us(this_build.as_of), this_build.load_id, this_build.fingerprint,
            this_build.previous_build_id, epoch_us(this_build.previous_as_of), this_build.previous_load_id
        from state.this_build
        join state.last_build using (build_id)
    """).fetchall()
    if len(found) != 1 or None in found[0][:4]:
        return None
    [(build_id, as_of, load_id, fingerprint, *previous)] = found
    build = Build(build_id, str(as_of), load_id, fingerprint, _loads(connection, load_id))
    if None in previous or not has_table(connection, "intermediate", "int_touched_studies"):
        return Marts(build, None, frozenset())
    previous_id, previous_as_of, previous_load = previous
    before = Build(previous_id, str(previous_as_of), previous_load, fingerprint, _loads(connection, previous_load))
    touched = connection.execute("select study_id from intermediate.int_touched_studies").fetchall()
    return Marts(build, before, frozenset(study for (study,) in touched))


def _loads(connection: duckdb.DuckDBPyConnection, up_to: int) -> str:
    query = """
        select coalesce(md5(string_agg(concat(load_id, ' ', epoch_us(loaded_at)), ',' order by load_id, loaded_at)), '')
        from raw.loads
        where load_id <= ?
    """
    return str(only_row(connection, query, [up_to])[0])
