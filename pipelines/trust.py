"""How far the data can be trusted, in words. The numbers are those of the audit tables."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import floor
from typing import Any

import duckdb

from pipelines.plain import plain
from pipelines.warehouse import has_table

TOTALS = """
select
    feed_began_at, participants, participants_whole, share_whole, older_than_feed, gaps, links, broken_links,
    loss_rate, loss_rate_low, loss_rate_high, lost, lost_low, lost_high, worst_study_id, worst_loss_rate
from audit.feed_totals
"""
SILENCE = "select silent_since, silence_hours, usual_hours from audit.feed_silence where scope = 'feed' and is_open"
SILENT_STUDIES = "select study_id from audit.feed_silence where scope = 'study' and is_open order by study_id"
NOTES = """
select note, count(*), sum(occurrences)::bigint, min(subject), max(last_at) from audit.data_notes group by note order by note
"""

LEAST_SHOWN = 0.001
"""A share below this would be 0.0 %."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The row of `audit.feed_totals`. Rates are shares of webhooks, `lost…` numbers of changes; null if unknown."""

    feed_began_at: datetime
    participants: int
    participants_whole: int
    share_whole: float
    older_than_feed: int
    gaps: int
    links: int
    broken_links: int
    loss_rate: float | None
    loss_rate_low: float | None
    loss_rate_high: float | None
    lost: float | None
    lost_low: float | None
    lost_high: float | None
    worst_study_id: str | None
    worst_loss_rate: float | None


@dataclass(frozen=True, slots=True)
class Silence:
    """How long the whole feed has been silent at as-of, longer than usual, and what was the longest before."""

    silent_since: datetime
    silence_hours: float
    usual_hours: float


@dataclass(frozen=True, slots=True)
class Note:
    """The rows of `audit.data_notes` with one note: how many subjects, occurrences in all, the first subject, the last time."""

    note: str
    subjects: int
    occurrences: int
    example: str
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the data can be trusted. `totals` is None before the first change, `silence` while webhooks arrive."""

    totals: Totals | None = None
    silence: Silence | None = None
    silent_studies: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "totals": _as_json(self.totals),
            "silence": _as_json(self.silence),
            "silent_studies": self.silent_studies,
            "notes": [_as_json(note) for note in self.notes],
        }


def read_trust(connection: duckdb.DuckDBPyConnection) -> Trust | None:
    """What the audit tables say; None where they have not been built."""
    if not all(has_table(connection, "audit", table) for table in ("feed_totals", "feed_silence", "data_notes")):
        return None
    totals = [Totals(*row) for row in connection.execute(TOTALS).fetchall()]
    silences = [Silence(*row) for row in connection.execute(SILENCE).fetchall()]
    studies = [study for (study,) in connection.execute(SILENT_STUDIES).fetchall()]
    notes = [Note(*row) for row in connection.execute(NOTES).fetchall()]
    return Trust(totals[0] if totals else None, silences[0] if silences else None, studies, notes)


def sentences(trust: Trust) -> list[str]:
    """One line for each thing that a person should know before they trust a number."""
    if trust.totals is None:
        return ["No status change has arrived yet.", *sentences_of_notes(trust)]
    return [" ".join(_of_histories(trust.totals)), *_of_silence(trust), *sentences_of_notes(trust)]


def sentences_of_notes(trust: Trust) -> list[str]:
    """One sentence for each kind of note on the input, with an example to look up in audit.data_notes."""
    return [f"{_of_note(note)} (audit.data_notes)." for note in trust.notes]


def _of_note(note: Note) -> str:
    is_one = note.subjects == 1
    example = f": {plain(note.example)}" if is_one else f", such as {plain(note.example)}"
    if note.note == "later_than_as_of":
        whose = _several(note.occurrences, "participant", "participants")
        last = f"{note.last_at.astimezone(UTC):%Y-%m-%d}" if note.last_at else ""
        return f"Changes of {whose} are dated later than as of, up to {last}, and are not counted yet"
    if note.note == "svix_id_reused":
        ids = "One Svix message id" if is_one else f"{note.subjects:,} Svix message ids"
        return f"{ids} came with more than one time{example}"
    if note.note == "test_id":
        have = "One study has" if is_one else f"{note.subjects:,} studies have"
        counts = "counts" if is_one else "count"
        documented = "as the example event in Rally's documentation does"
        return f"{have} test ids, {documented}, and {counts} like any other{example}"
    rows = "One row" if is_one else f"{note.subjects:,} rows"
    file, what = ("studies.csv", "study") if note.note == "unmatched_study" else ("people.csv", "person")
    return f"{rows} of {file} {'matches' if is_one else 'match'} no {what} in the webhooks{example}"


def _several(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _of_histories(totals: Totals) -> list[str]:
    said = [f"The feed began on {totals.feed_began_at.astimezone(UTC):%Y-%m-%d}.", _of_losses(totals)]
    if totals.gaps:
        said.append(f"{_percent(totals.share_whole, down=True)} % of participants have their whole history here.")
    if totals.older_than_feed:
        said.append(f"Some {totals.older_than_feed:,} were there before the feed began.")
    if totals.worst_study_id is not None and totals.worst_loss_rate is not None:
        said.append(f"Worst: study {plain(totals.worst_study_id)}, {_percent(totals.worst_loss_rate)} %.")
    return said


def _of_losses(totals: Totals) -> str:
    if totals.loss_rate is None or totals.loss_rate_low is None or totals.loss_rate_high is None:
        said = "There are too few changes to estimate how many webhooks are lost."
        return said if totals.gaps else f"No gaps, but t{said[1:]}"
    if not totals.broken_links:
        where = "No gap within a history" if totals.gaps else "No gaps"
        return f"{where}: likely at most {_percent(totals.loss_rate_high)} % of webhooks never arrived."
    if totals.lost is None:
        return f"Every link that can show a loss does: likely {_percent(totals.loss_rate_low)} % of webhooks or more never arrived."
    interval = f"95 % interval {_percent(totals.loss_rate_low)} to {_percent(totals.loss_rate_high)}"
    rate = _percent(totals.loss_rate)
    return f"About {rate} % of webhooks ({interval}) never arrived: some {floor(totals.lost + 0.5):,} changes."


def _of_silence(trust: Trust) -> list[str]:
    if trust.silence:
        since = f"{trust.silence.silent_since.astimezone(UTC):%A %Y-%m-%d %H:%M} UTC"
        usual = f"{trust.silence.usual_hours:,.0f} hours" if trust.silence.usual_hours >= 1 else "less than an hour"
        silent = f"{trust.silence.silence_hours:,.0f} hours"
        return [f"No change since {since} ({silent}); the longest normal gap is {usual} (audit.feed_silence)."]
    if len(trust.silent_studies) == 1:
        return [f"Study {plain(trust.silent_studies[0])} has been silent for longer than usual (audit.feed_silence)."]
    if trust.silent_studies:
        return [f"{len(trust.silent_studies):,} studies have been silent for longer than usual (audit.feed_silence)."]
    return []


def _percent(share: float, *, down: bool = False) -> str:
    """With one decimal, or as many as it takes to show that it is not 0. `down`: 99.96 is not shown as 100."""
    if down:
        return f"{floor(share * 1000 + 1e-9) / 10:.1f}"
    return f"{share * 100:.1f}" if share >= LEAST_SHOWN or not share else f"{share * 100:.1g}"


def _as_json(row: Totals | Silence | Note | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        name: value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in asdict(row).items()
    }
