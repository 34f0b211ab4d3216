"""The benchmark's data: seeded webhook lines, exactly as many as asked for, and the lines that arrive after them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

LINES_OF_A_STUDY = 10_000
LINES_OF_A_PARTICIPANT = 5.1  # a little less than there are, so that enough are made
START = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 365
NEW_LINES = 10_000
STATUSES = Path(__file__).resolve().parents[1] / "data" / "reference" / "participant_statuses.csv"

# The peers stop at the first damaged line, or take it for a good one, so they get the accepted lines only.
CLEAN = r"""
copy (
    with

    bodies as (
        select
            case
                when not json_valid(line) then null
                when starts_with(line, '{"svix_id"') then json_extract(line, '$.payload')::varchar
                else line
            end as body
        from read_csv(
            $events, columns = {'line': 'varchar'}, auto_detect = false, header = false, delim = '\x01', quote = '',
            escape = '', new_line = '\n', strict_mode = false, ignore_errors = true
        )
    )

    select body
    from bodies
    where
        starts_with(body, '{"_eventType":"participant.status_changed"')
        and json_type(body, '$.participantId') = 'VARCHAR'
        and json_type(body, '$.personId') = 'VARCHAR'
        and body ->> '$.studyId' <> ''
        and body ->> '$.status' in (select status from read_csv($statuses))
        and (
            coalesce(json_type(body, '$.priorStatus'), 'NULL') = 'NULL'
            or body ->> '$.priorStatus' in (select status from read_csv($statuses))
        )
        and regexp_matches(body ->> '$.updatedAt', 'T.*(Z|[+-]\d\d:\d\d)$')
        and try_cast(body ->> '$.updatedAt' as timestamptz) is not null
) to '{clean}' (format csv, header false, quote '', escape '', delim '\x01')
"""


@dataclass(frozen=True, slots=True)
class Data:
    """A size's files. `arrivals` are batches of `NEW_LINES` lines that come after the events, in order of arrival."""

    folder: Path
    lines: int

    @property
    def events(self) -> Path:
        """All lines, good and bad."""
        return self.folder / "events.jsonl"

    @property
    def clean(self) -> Path:
        """The payloads of the accepted lines."""
        return self.folder / "clean.jsonl"

    @property
    def arrivals(self) -> list[Path]:
        """The batches that come after."""
        return sorted(self.folder.glob("arrivals-*.jsonl"))

    @property
    def as_of(self) -> datetime:
        """The moment that a full run speaks for: after all of them."""
        return START + timedelta(days=DAYS + 10)


def make(folder: Path, lines: int, batches: int) -> Data:
    """Make the files of a size, unless they are there."""
    # Who measures imports this module too, and must stay small: memory at the start of a process is its parent's.
    from pipelines.generate import Recipe, generate  # noqa: PLC0415

    data = Data(folder / f"{lines}", lines)
    if data.clean.exists() and len(data.arrivals) >= batches:
        return data
    data.folder.mkdir(parents=True, exist_ok=True)
    wanted = lines + batches * NEW_LINES
    recipe = Recipe(
        participants=int(wanted / LINES_OF_A_PARTICIPANT) + 100,
        studies=max(8, lines // LINES_OF_A_STUDY),
        days=DAYS,
        start=START.date(),
    )
    made = data.folder / "made.jsonl"
    generate(recipe, made, overwrite=True)
    with made.open("rb") as source:
        for path, count in [
            (data.events, lines),
            *((data.folder / f"arrivals-{n:02}.jsonl", NEW_LINES) for n in range(1, batches + 1)),
        ]:
            with path.open("wb") as target:
                target.writelines(islice(source, count))
    made.unlink()
    write_clean(data.events, data.clean)
    return data


def write_clean(events: Path, clean: Path) -> None:
    """Write the payloads of the accepted lines, in the same order."""
    import duckdb  # noqa: PLC0415

    with duckdb.connect() as connection:
        query = CLEAN.replace("{clean}", str(clean).replace("'", "''"))
        connection.execute(query, {"events": str(events), "statuses": str(STATUSES)})


if __name__ == "__main__":
    import sys

    make(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
