"""What tests of forgetting share: folders of raw files, warehouses of them with and without their tables, and who is in them."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from inbox import compressed
from oracle.history import histories
from oracle.lines import Line, deliveries, read_lines
from oracle.reference import DEFAULT_STATUSES
from product import END_OF_TIME, NOWHERE, Product, insert
from strategies import valid_but

from pipelines.check import Report
from pipelines.forget import forgetting
from pipelines.forget.known_person import KnownPerson, look_up
from pipelines.forget.warehouse import remove_person
from pipelines.load.loader import load
from pipelines.load.withhold import forgotten
from pipelines.reference import read_reference_files
from pipelines.settings import Settings
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from pipelines.forget import Proof

LINES = "select coalesce(sum(lines), 0)::bigint, coalesce(sum(blank_lines), 0)::bigint from raw.files where not is_superseded"
PHYSICAL = (
    "select coalesce(sum(next_line - 1 + (open_line_bytes > 0)::int), 0)::bigint from raw.files where not is_superseded"
)
WITHHELD = "select count(*) from raw.forgotten_lines"
CURRENT = "select count(*) from raw.deliveries semi join (from raw.files where not is_superseded) using (file_id)"

SOMEONE, PARTICIPANT = "person-to-forget", "participant-to-forget"
NAME = "Ada Forgetmenot Lovelace"

PEOPLE = "Person ID, Person_Name\nother-1,B\n"
ROWS_OF_PERSON = f"{SOMEONE},{NAME}\nonly-here,Grace Onlyhere\n"


class Place:
    """A folder of raw files and a warehouse of them on disk."""

    def __init__(self, folder: str | Path, product: Product) -> None:
        self.folder = Path(folder)
        self.raw = self.folder / "raw"
        self.raw.mkdir(parents=True, exist_ok=True)
        self.product = product
        self.settings = Settings(
            (self.raw,),
            self.folder / "w.duckdb",
            self.folder / "exports",
            datetime(2026, 1, 1, tzinfo=UTC),
            reports=self.folder / "reports",
            studies_file=self.folder / "studies.csv",
            people_file=self.folder / "people.csv",
        )

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files and load them."""
        for name, content in files.items():
            (self.raw / name).write_bytes(compressed(name, content))
        self.load()

    def load(self) -> None:
        """Load what is new."""
        with connect(self.settings.database) as connection:
            problems = load(connection, [self.raw]).problems
        assert not problems or not any(self.raw.iterdir())  # an empty folder is a problem by itself

    def forget(self, person: str) -> int:
        """Remove them, as the command does in its working copy; how many lines were theirs."""
        known = self.known(person)
        remove_person(self.settings, known)
        return known.lines

    def known(self, person: str = SOMEONE) -> KnownPerson:
        """What is known of them."""
        with connect(self.settings.database, read_only=True) as connection:
            return look_up(connection, person, self.settings.people_file)

    def of(self, query: str) -> list[Any]:
        """What a query gives."""
        with connect(self.settings.database, read_only=True) as connection:
            return connection.execute(query).fetchall()

    def accounts_for(self) -> None:
        """Every line that the files had is counted once, or is forgotten."""
        [(lines, blank, physical, withheld, kept)] = self.of(f"from ({LINES}), ({PHYSICAL}), ({WITHHELD}), ({CURRENT})")
        assert physical == lines + withheld
        assert kept == lines - blank

    def accounts_for_batches(self) -> None:
        """The same where lines are batches: a line is there as long as a delivery of it is, and blank without any."""
        for file_id, physical, lines, blank in self.of(
            "select file_id, next_line - 1 + (open_line_bytes > 0)::int, lines, blank_lines from raw.files where not is_superseded"
        ):
            kept = f"select distinct line_number from raw.deliveries where file_id = {file_id}"
            withheld = f"select distinct line_number from raw.forgotten_lines where file_id = {file_id}"
            assert self.of(f"select count(*) from ({kept})") == [(lines - blank,)]
            assert self.of(f"select count(*) from ({withheld} except {kept})") == [(physical - lines,)]


def line(**fields: object) -> bytes:
    """A webhook of the one who is forgotten, but for what is said."""
    return valid_but(**({"personId": SOMEONE, "participantId": PARTICIPANT} | fields)) + b"\n"


class AnyStatus:
    """A table that has every status there could be."""

    def __contains__(self, status: object) -> bool:
        """Yes."""
        return True


def without(files: Mapping[str, bytes], lines: list[Line], person: str) -> tuple[dict[str, bytes], int]:
    """The files without what is a person's, by the oracle and plain words; how many lines that is."""
    standing = {
        history.participant_id: history for history in histories(deliveries(lines), END_OF_TIME, DEFAULT_STATUSES)
    }
    participants = {history.participant_id for history in standing.values() if history.person_id == person}
    # What is rejected for its status only still says whose it is, unless something later is known.
    whatever = deliveries(read_lines(files, AnyStatus()))
    for participant, some in groupby(
        sorted(whatever, key=lambda one: one.participant_id), lambda one: one.participant_id
    ):
        named = list(some)
        last = max(delivery.updated_at for delivery in named)
        history = standing.get(participant)
        if history is None or history.observed[-1].occurred_at < last:
            participants |= {
                participant for delivery in named if delivery.updated_at == last and delivery.person_id == person
            }
    ids = re.compile(
        rb"(?<![\w-])(?:" + b"|".join(re.escape(id_.encode()) for id_ in (person, *participants)) + rb")(?![\w-])"
    )

    def is_about_person(found: Line) -> bool:
        if found.delivery:
            return found.delivery.person_id == person or found.delivery.participant_id in participants
        return ids.search(found.raw) is not None

    removed = {(found.source_file, found.line_number) for found in lines if is_about_person(found)}
    kept = {
        name: b"\n".join(
            raw for number, raw in enumerate(content.split(b"\n"), start=1) if (name, number) not in removed
        )
        for name, content in files.items()
    }
    return kept, len(removed)


@dataclass
class Whole:
    """A warehouse with its tables, where dbt's part is done by the compiled project."""

    place: Place
    settings: Settings
    tables: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path, product: Product, content: bytes, *tables: str, people: str = PEOPLE) -> "Whole":
        """All of what a file and people.csv say, or some tables and what these are made of."""
        place = Place(folder, product)
        place.put({"a.jsonl": content})
        place.settings.people_file.write_text(people, encoding="utf-8")
        whole = cls(place, place.settings, tables or tuple(model["name"] for model in product.models.values()))
        whole.build(place.settings)
        return whole

    def copied(self, folder: Path) -> "Whole":
        """The same in a folder of its own."""
        shutil.copytree(self.place.folder, folder)
        place = Place(folder, self.place.product)
        with connect(place.settings.database) as connection:
            connection.execute("update raw.files set source_file = ?", [str(place.raw / "a.jsonl")])
        return Whole(place, place.settings, self.tables)

    def build(self, settings: Settings) -> None:
        """Make every table."""
        product = self.place.product
        with connect(settings.database) as connection:
            product.prepare(connection)
            insert(connection, "raw.people_file", self.described(connection))
            product.build(connection, *self.tables, as_of=settings.as_of)

    def described(self, connection: duckdb.DuckDBPyConnection) -> list[dict[str, str | None]]:
        """The rows of people.csv, as dbt puts them into the warehouse before it builds."""
        sheet = read_reference_files(NOWHERE, self.settings.people_file)["people"]
        everyone = forgotten(connection)
        rows = [{name: cell or None for name, cell in row.cells.items()} for row in sheet.rows]
        return [row for row in rows if not (everyone and everyone.include(row["person_id"] or "", ""))]

    def assert_equals(self, other: "Whole") -> None:
        """Every table that does not tell of files and loads has the same rows."""
        with connect(self.settings.database, read_only=True) as connection:
            connection.execute(f"attach '{other.settings.database}' as other (read_only)")
            compared = 0
            for model in self.place.product.models.values():
                table = f"{model['schema']}.{model['name']}"
                if model["config"]["materialized"] == "view" or model["name"] in {"load_files", "stg_changes"}:
                    continue
                for ours, theirs in ((table, f"other.{table}"), (f"other.{table}", table)):
                    columns = ", ".join(
                        f'"{name}"'
                        for name, *_ in connection.execute(f"describe {table}").fetchall()
                        if not re.search(r"file|line", name)
                    )
                    query = f"select {columns} from {ours} except all select {columns} from {theirs} limit 3"
                    assert connection.execute(query).fetchall() == [], f"rows of {ours} only"
                compared += 1
            assert compared > 30


LINES_OF_OTHERS = b"".join(
    line(personId=f"other-{n % 3}", participantId=f"of-other-{n}", studyId=f"study-{n % 2}", status=status)
    for n in range(6)
    for status in ("INVITE_SENT", "INTERVIEW_SCHEDULED", "INTERVIEW_COMPLETED")
)
LINES_OF_PERSON = line() + line(status="OPTED_OUT", updatedAt="2025-04-01T00:00:00Z") + line(status=7)


NEEDED = ("participants", "people", "built_as_of", "load_files")


def warehouse_with_person(folder: Path, product: Product, *tables: str) -> Whole:
    """A warehouse in which the person is, and in people.csv."""
    return Whole.of(folder, product, LINES_OF_PERSON + LINES_OF_OTHERS, *tables, people=PEOPLE + ROWS_OF_PERSON)


def with_test_build(whole: Whole, patch: pytest.MonkeyPatch) -> Whole:
    """The same; forgetting makes it anew as it was made."""
    passed = Report(whole.settings.as_of, strict=False, rows={}, rules=0, failures=[], warnings=[])
    patch.setattr(forgetting, "build_tables", whole.build)
    patch.setattr(forgetting, "check_copy", lambda *_, **__: passed)
    return whole


def forget(settings: Settings, *, rewrite: bool = True, person: str = SOMEONE) -> "Proof":
    """What the command does once it was told yes."""
    return forgetting.forget(settings, person, (), rewrite=rewrite, on_wait=None)
