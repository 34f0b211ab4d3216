"""What `studyflow status` says of how far the data can be trusted. The numbers are checked against the oracle elsewhere."""

from datetime import UTC, datetime, timedelta

import pytest
from oracle.lines import Delivery
from product import Product
from strategies import START

from pipelines.trust import Trust, read_trust, sentences
from pipelines.warehouse import Row

TOTALS = {
    "feed_began_at": datetime(2026, 6, 1, tzinfo=UTC),
    "participants": 1000,
    "participants_whole": 971,
    "share_whole": 0.971,
    "older_than_feed": 0,
    "gaps": 31,
    "links": 4000,
    "broken_links": 48,
    "loss_rate": 0.012,
    "loss_rate_low": 0.009,
    "loss_rate_high": 0.0158,
    "lost": 56.4,
    "lost_low": 42.0,
    "lost_high": 75.0,
    "worst_study_id": None,
    "worst_loss_rate": None,
}
NO_GAPS = dict(
    TOTALS, participants_whole=1000, share_whole=1.0, gaps=0, broken_links=0, loss_rate=0.0, loss_rate_low=0.0,
    loss_rate_high=0.0004, lost=0.0, lost_low=0.0, lost_high=1.6,
)  # fmt: skip
UNKNOWN = dict(
    NO_GAPS, links=0, loss_rate=None, loss_rate_low=None, loss_rate_high=None, lost=None, lost_low=None, lost_high=None
)
ALL_BROKEN = dict(TOTALS, loss_rate=1.0, loss_rate_low=0.2, loss_rate_high=1.0, lost=None, lost_high=None)
SILENCE = {"silent_since": datetime(2026, 7, 31, 14, tzinfo=UTC), "silence_hours": 63.2, "usual_hours": 12.0}


def a_note(note: str, subjects: int, occurrences: int, example: str, last_at: datetime | None) -> Row:
    """A row of the query of notes."""
    return {"note": note, "subjects": subjects, "occurrences": occurrences, "example": example, "last_at": last_at}


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        (
            TOTALS,
            (
                "The feed began on 2026-06-01. About 1.2% of webhooks (95% interval 0.9 to 1.6) never arrived: about 56 "
                "changes. 97.1% of participants have a complete history."
            ),
        ),
        (
            dict(TOTALS, share_whole=0.57, older_than_feed=1366, worst_study_id="X", worst_loss_rate=0.043),
            (
                "The feed began on 2026-06-01. About 1.2% of webhooks (95% interval 0.9 to 1.6) never arrived: about 56 "
                "changes. 57.0% of participants have a complete history. About 1,366 were added before the feed "
                "began. Worst: study X, 4.3%."
            ),
        ),
        (NO_GAPS, "The feed began on 2026-06-01. No gaps: likely at most 0.04% of webhooks never arrived."),
        (
            dict(NO_GAPS, gaps=9, older_than_feed=9, share_whole=0.99999),
            (
                "The feed began on 2026-06-01. No gap within a history: likely at most 0.04% of webhooks never arrived. 99.9% of "
                "participants have a complete history. About 9 were added before the feed began."
            ),
        ),
        (
            UNKNOWN,
            "The feed began on 2026-06-01. No gaps, but there are too few changes to estimate how many webhooks are lost.",
        ),
        (
            ALL_BROKEN,
            (
                "The feed began on 2026-06-01. Every link that can show a loss shows one: likely 20.0% of webhooks or more never "
                "arrived. 97.1% of participants have a complete history."
            ),
        ),
        (None, "No status change has arrived yet."),
    ],
)
def test_what_is_said_of_histories(totals: Row | None, said: str) -> None:
    """True in every case: what is not known is not given as a number, and 99.999% is not all."""
    assert sentences(Trust(totals)) == [said]


@pytest.mark.parametrize(
    ("silence", "studies", "said"),
    [
        (None, [], []),
        (
            SILENCE,
            ["a", "b"],
            [
                "No change since Friday 2026-07-31 14:00 UTC (63 hours); the longest earlier silence was 12 hours (audit.feed_silence)."
            ],
        ),
        (
            dict(SILENCE, usual_hours=0.2),
            [],
            [
                (
                    "No change since Friday 2026-07-31 14:00 UTC (63 hours); the longest earlier silence was less than an hour "
                    "(audit.feed_silence)."
                )
            ],
        ),
        (None, ["a"], ["Study a has been silent for longer than usual (audit.feed_silence)."]),
        (None, ["a", "b"], ["2 studies have been silent for longer than usual (audit.feed_silence)."]),
    ],
)
def test_what_is_said_of_silence(silence: Row | None, studies: list[str], said: list[str]) -> None:
    """Of the whole feed first: while it is silent, so is every study."""
    assert sentences(Trust(TOTALS, silence, studies))[1:] == said


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (
            a_note("later_than_as_of", 2, 3, "st_1", datetime(2062, 1, 1, tzinfo=UTC)),
            "Changes of 3 participants are dated after the as-of time, up to 2062-01-01, and are not counted yet",
        ),
        (
            a_note("svix_id_reused", 1, 2, "msg_1", datetime(2026, 7, 1, tzinfo=UTC)),
            "One Svix message id came with more than one time: msg_1",
        ),
        (
            a_note("svix_id_reused", 7, 15, "msg_1", datetime(2026, 7, 1, tzinfo=UTC)),
            "7 Svix message ids came with more than one time, such as msg_1",
        ),
        (
            a_note("test_id", 1, 1, "test_cm1", datetime(2024, 9, 1, tzinfo=UTC)),
            "One study has test ids, as the example event in Rally's documentation does, and counts like any other: test_cm1",
        ),
        (
            a_note("unmatched_study", 1, 1, "st_typo", None),
            "One row of studies.csv matches no study in the webhooks: st_typo",
        ),
        (
            a_note("unmatched_person", 1200, 1200, "pe_1", None),
            "1,200 rows of people.csv match no person in the webhooks, such as pe_1",
        ),
    ],
)
def test_what_is_said_of_the_input(note: Row, said: str) -> None:
    """Each kind of note is a sentence with an example to look up, in the singular and the plural."""
    assert sentences(Trust(TOTALS, notes=[note]))[1:] == [f"{said} (audit.data_notes)."]


def test_an_id_cannot_steer_the_terminal() -> None:
    """Ids come from webhooks, which anyone may have written."""
    trust = Trust(dict(TOTALS, worst_study_id="\x1b[2J", worst_loss_rate=0.5), silent_studies=["\x1b]0;owned\x07"])
    trust.notes.append(a_note("test_id", 1, 1, "test_\x1b[2J", None))
    assert "\x1b" not in " ".join(sentences(trust))


def test_studies_are_named() -> None:
    """A reader knows studies by their names; whichever has none is shown by its id."""
    totals = dict(TOTALS, worst_study_id="s-1", worst_loss_rate=0.5)
    trust = Trust(totals, silent_studies=["s-1"], notes=[a_note("test_id", 1, 1, "s-2", None)], names={"s-1": "Churn"})
    histories, silence, note = sentences(trust)
    assert histories.endswith("Worst: study Churn, 50.0%.")
    assert silence.startswith("Study Churn has been silent")
    assert note.endswith(": s-2 (audit.data_notes).")


def test_the_tables_are_read_as_they_are_made(product: Product) -> None:
    """From changes to words; a warehouse without these tables, or without changes, is no error."""
    changes = [
        Delivery(f"participant-{day}", "person", "study", "INVITE_SENT", None, START + timedelta(days=day))
        for day in [*range(21), 900]
    ]
    names = ("feed_totals", "feed_silence", "data_notes")
    with product.warehouse([]) as connection:
        assert read_trust(connection) is None
    with product.warehouse([], *names) as connection:
        assert read_trust(connection) == Trust()
    with product.warehouse(changes, *names, as_of=START + timedelta(days=23)) as connection:
        trust = read_trust(connection)
    assert trust is not None
    assert sentences(trust) == [
        "The feed began on 2025-03-03. No gaps, but there are too few changes to estimate how many webhooks are lost.",
        "No change since Sunday 2025-03-23 00:00 UTC (72 hours); the longest earlier silence was 24 hours (audit.feed_silence).",
        "Changes of 1 participant are dated after the as-of time, up to 2027-08-20, and are not counted yet (audit.data_notes).",
    ]
    assert trust.as_dict()["silence"]["silent_since"] == "2025-03-23T00:00:00Z"
    assert trust.as_dict()["silent_studies"] == ["study"]
