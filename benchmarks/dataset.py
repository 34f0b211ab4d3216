"""The data of the benchmarks: a given number of seeded webhook lines, and batches of lines that arrive later."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

LINES_OF_A_STUDY = 10_000
LINES_OF_A_PARTICIPANT = 5.1  # a little lower than the average, so that there are enough lines
START = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 365
NEW_LINES = 10_000
LIVING_DAYS = 30  # a study without deliveries for this long is not active
STATUSES = Path(__file__).resolve().parents[1] / "data" / "reference" / "participant_statuses.csv"

# The peers get accepted lines only, because they stop at damaged lines or accept them.
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

# Batches of one more change for each of many participants: the status that most often follows their current one.
# Participants are taken in turn from all studies with deliveries in the last days. Each participant is in a batch once,
# so batches can have fewer lines if there are few participants.
SPREAD = r"""
create temp table spread as
with

lines as (
    select from_json(column0, '{"participantId":"VARCHAR","personId":"VARCHAR","studyId":"VARCHAR","status":"VARCHAR",
        "priorStatus":"VARCHAR","updatedAt":"VARCHAR"}') as line
    from read_csv($clean, auto_detect = false, columns = {'column0': 'varchar'}, header = false, delim = '\x01', quote = '',
        escape = '', new_line = '\n')
),

changes as (
    select
        line.participantId as participant_id,
        line.personId as person_id,
        line.studyId as study_id,
        line.status,
        line.priorStatus as prior_status,
        cast(line.updatedAt as timestamptz) as changed_at
    from lines
    where cast(line.updatedAt as timestamptz) < $as_of
),

living_studies as (
    select study_id
    from changes
    group by study_id
    having max(changed_at) > (select max(changed_at) from changes) - to_days($living_days)
),

followers as (
    select prior_status, status
    from changes
    where prior_status <> status
    group by prior_status, status
    qualify row_number() over (partition by prior_status order by count(*) desc, status) = 1
),

current as (
    select study_id, participant_id, max_by(person_id, (changed_at, status)) as person_id, max_by(status, (changed_at, status)) as status
    from changes
    where study_id in (select study_id from living_studies)
    group by study_id, participant_id
),

in_turn as (
    select
        batches.batch,
        current.*,
        followers.status as next_status,
        row_number() over (
            partition by batches.batch, current.study_id order by hash(current.participant_id, batches.batch)
        ) as turn
    from current
    inner join followers on current.status = followers.prior_status
    cross join (from range(1, $batches + 1) as batches (batch)) as batches
)

select
    batch,
    row_number() over (partition by batch order by turn, study_id) as position,
    concat(
        '{"_eventType":"participant.status_changed","participantId":"', participant_id, '","personId":"', person_id,
        '","studyId":"', study_id, '","status":"', next_status, '","priorStatus":"', status, '","updatedAt":"',
        strftime($as_of - to_days(1) + to_minutes(batch) + to_milliseconds(position), '%Y-%m-%dT%H:%M:%S.%gZ'), '"}'
    ) as line
from in_turn
qualify position <= $new_lines
"""
WRITE_SPREAD = r"""
copy (select line from spread where batch = {batch} order by position)
to '{file}' (format csv, header false, quote '', escape '', delim '\x01')
"""


@dataclass(frozen=True, slots=True)
class Data:
    """The files for one size.

    `arrivals` are batches of `NEW_LINES` lines that arrive after the events. `spread` are batches of up to as many lines,
    each about another participant, spread evenly over all active studies.
    """

    folder: Path
    lines: int

    @property
    def events(self) -> Path:
        """The file with all lines, including bad ones."""
        return self.folder / "events.jsonl"

    @property
    def clean(self) -> Path:
        """The file with the payloads of the accepted lines."""
        return self.folder / "clean.jsonl"

    @property
    def arrivals(self) -> list[Path]:
        """The batches of lines that arrive later."""
        return sorted(self.folder.glob("arrivals-*.jsonl"))

    @property
    def spread(self) -> list[Path]:
        """The batches that are spread over all active studies."""
        return sorted(self.folder.glob("spread-*.jsonl"))

    @property
    def as_of(self) -> datetime:
        """The as-of time of a full run, after all changes."""
        return START + timedelta(days=DAYS + 10)


def make(folder: Path, lines: int, batches: int) -> Data:
    """Make the files for a size, unless they exist."""
    # Imported late to keep the measuring process small: a child process starts with the memory of its parent.
    from pipelines.generate import Recipe, generate  # noqa: PLC0415

    data = Data(folder / f"{lines}", lines)
    if data.clean.exists() and min(len(data.arrivals), len(data.spread)) >= batches:
        return data
    data.folder.mkdir(parents=True, exist_ok=True)
    total_lines = lines + batches * NEW_LINES
    recipe = Recipe(
        participants=int(total_lines / LINES_OF_A_PARTICIPANT) + 100,
        studies=max(8, lines // LINES_OF_A_STUDY),
        days=DAYS,
        start=START.date(),
    )
    generated = data.folder / "generated.jsonl"
    generate(recipe, generated, overwrite=True)
    with generated.open("rb") as source:
        for path, count in [
            (data.events, lines),
            *((data.folder / f"arrivals-{n:02}.jsonl", NEW_LINES) for n in range(1, batches + 1)),
        ]:
            with path.open("wb") as target:
                target.writelines(islice(source, count))
    generated.unlink()
    write_clean(data.events, data.clean)
    write_spread(data, batches)
    return data


def write_clean(events: Path, clean: Path) -> None:
    """Write the payloads of the accepted lines, in the same order."""
    import duckdb  # noqa: PLC0415

    with duckdb.connect() as connection:
        query = CLEAN.replace("{clean}", str(clean).replace("'", "''"))
        connection.execute(query, {"events": str(events), "statuses": str(STATUSES)})


def write_spread(data: Data, batches: int) -> None:
    """Write batches of new lines that are spread over all active studies."""
    import duckdb  # noqa: PLC0415

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        values = {"as_of": data.as_of, "living_days": LIVING_DAYS, "new_lines": NEW_LINES, "batches": batches}
        connection.execute(SPREAD, values | {"clean": str(data.clean)})
        for batch in range(1, batches + 1):
            file = str(data.folder / f"spread-{batch:02}.jsonl").replace("'", "''")
            connection.execute(WRITE_SPREAD.format(batch=batch, file=file))


if __name__ == "__main__":
    import sys

    make(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
