"""How complete and trustworthy the data are, in sentences. The numbers come from the audit tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import floor
from typing import Any

import duckdb

from pipelines.plain import instant, plain, several
from pipelines.warehouse import Row, has_table, rows_of

TOTALS = """
select
    feed_began_at, participants, participants_whole, share_whole, older_than_feed, gaps, links, broken_links,
    loss_rate, loss_rate_low, loss_rate_high, lost, lost_low, lost_high, worst_study_id, worst_loss_rate
from audit.feed_totals
"""
SILENCE = "select silent_since, silence_hours, usual_hours from audit.feed_silence where scope = 'feed' and is_open"
SILENT_STUDIES = "select study_id from audit.feed_silence where scope = 'study' and is_open order by study_id"
NAMES = "select study_id, study_name from marts.study_progress where study_name is not null"
NOTES = """
select
    note, count(*) as subjects, sum(occurrences)::bigint as occurrences, min(subject) as example, max(last_at) as last_at
from audit.data_notes
group by note
order by note
"""

LEAST_SHOWN = 0.001
"""A smaller share gets more decimals, because one decimal could show 0.0%."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Rows of the audit tables, as dictionaries with the columns of the queries above.

    `totals` is None before the first change. `silence` is None while webhooks are arriving. `names`: study names by id.
    """

    totals: Row | None = None
    silence: Row | None = None
    silent_studies: list[str] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The rows for JSON, without the names of studies."""
        return {
            "totals": _as_json(self.totals) if self.totals else None,
            "silence": _as_json(self.silence) if self.silence else None,
            "silent_studies": self.silent_studies,
            "notes": [_as_json(note) for note in self.notes],
        }


def read_trust(connection: duckdb.DuckDBPyConnection) -> Trust | None:
    """Read the audit tables; None if they have not been built."""
    if not all(has_table(connection, "audit", table) for table in ("feed_totals", "feed_silence", "data_notes")):
        return None
    totals, silence = (next(iter(rows_of(connection, query)), None) for query in (TOTALS, SILENCE))
    studies = [row["study_id"] for row in rows_of(connection, SILENT_STUDIES)]
    has_names = has_table(connection, "marts", "study_progress")
    names = {row["study_id"]: row["study_name"] for row in rows_of(connection, NAMES)} if has_names else {}
    return Trust(totals, silence, studies, rows_of(connection, NOTES), names)


def sentences(trust: Trust) -> list[str]:
    """What users should know before they trust a number, one line for each topic."""
    if trust.totals is None:
        return ["No status change has arrived yet.", *sentences_of_notes(trust)]
    return [
        " ".join(_history_sentences(trust.totals, trust.names)),
        *_silence_sentences(trust),
        *sentences_of_notes(trust),
    ]


def sentences_of_notes(trust: Trust) -> list[str]:
    """One sentence for each kind of note about the input, with an example."""
    return [f"{_note_sentence(note, trust.names)} (audit.data_notes)." for note in trust.notes]


def _note_sentence(note: Row, names: Mapping[str, str]) -> str:
    number = note["subjects"]
    is_one = number == 1
    example = f"{':' if is_one else ', such as'} {_name(note['example'], names)}"
    match note["note"]:
        case "later_than_as_of":
            participants, last = several(note["occurrences"], "participant"), _day(note["last_at"])
            return f"Changes of {participants} are dated after the as-of time, up to {last}, and are not counted yet"
        case "svix_id_reused":
            ids = "One Svix message id" if is_one else f"{number:,} Svix message ids"
            return f"{ids} came with more than one time{example}"
        case "test_id":
            have, count = ("One study has", "counts") if is_one else (f"{number:,} studies have", "count")
            documented = "as the example event in Rally's documentation does"
            return f"{have} test ids, {documented}, and {count} like any other{example}"
    rows, match_no = ("One row", "matches no") if is_one else (f"{number:,} rows", "match no")
    file, what = ("studies.csv", "study") if note["note"] == "unmatched_study" else ("people.csv", "person")
    return f"{rows} of {file} {match_no} {what} in the webhooks{example}"


def _name(study_id: str, names: Mapping[str, str]) -> str:
    """The name of a study, or its id if it has no name."""
    return plain(names.get(study_id, study_id))


def _history_sentences(totals: Row, names: Mapping[str, str]) -> list[str]:
    lines = [f"The feed began on {_day(totals['feed_began_at'])}.", _loss_sentence(totals)]
    if totals["gaps"]:
        lines.append(f"{_percent(totals['share_whole'], down=True)}% of participants have a complete history.")
    if totals["older_than_feed"]:
        lines.append(f"About {totals['older_than_feed']:,} were added before the feed began.")
    if totals["worst_study_id"] is not None and totals["worst_loss_rate"] is not None:
        lines.append(f"Worst: study {_name(totals['worst_study_id'], names)}, {_percent(totals['worst_loss_rate'])}%.")
    return lines


def _loss_sentence(totals: Row) -> str:
    rates = [totals[name] for name in ("loss_rate", "loss_rate_low", "loss_rate_high")]
    if None in rates:
        start = "There" if totals["gaps"] else "No gaps, but there"
        return f"{start} are too few changes to estimate how many webhooks are lost."
    rate, low, high = map(_percent, rates)
    if not totals["broken_links"]:
        where = "No gap within a history" if totals["gaps"] else "No gaps"
        return f"{where}: likely at most {high}% of webhooks never arrived."
    if totals["lost"] is None:
        return f"Every link that can show a loss shows one: likely {low}% of webhooks or more never arrived."
    lost = floor(totals["lost"] + 0.5)
    return f"About {rate}% of webhooks (95% interval {low} to {high}) never arrived: about {lost:,} changes."


def _silence_sentences(trust: Trust) -> list[str]:
    if trust.silence:
        since = f"{trust.silence['silent_since'].astimezone(UTC):%A %Y-%m-%d %H:%M} UTC"
        usual, silent = trust.silence["usual_hours"], trust.silence["silence_hours"]
        longest = f"{usual:,.0f} hours" if usual >= 1 else "less than an hour"
        return [
            f"No change since {since} ({silent:,.0f} hours); the longest earlier silence was {longest} (audit.feed_silence)."
        ]
    studies = trust.silent_studies
    if not studies:
        return []
    who = f"Study {_name(studies[0], trust.names)} has" if len(studies) == 1 else f"{len(studies):,} studies have"
    return [f"{who} been silent for longer than usual (audit.feed_silence)."]


def _day(value: datetime | None) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d}" if value else ""


def _percent(share: float, *, down: bool = False) -> str:
    """The share in percent, with one decimal or as many as it takes to show that it is not 0.

    `down`: round down, so that 99.96 is not shown as 100.
    """
    if down:
        return f"{floor(share * 1000 + 1e-9) / 10:.1f}"
    return f"{share * 100:.1f}" if share >= LEAST_SHOWN or not share else f"{share * 100:.1g}"


def _as_json(row: Row) -> Row:
    return {name: instant(value) if isinstance(value, datetime) else value for name, value in row.items()}
