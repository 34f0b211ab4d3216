"""The lists behind the actions: incentives, stalled participants, contact, data. And all studies in one table."""

from collections.abc import Mapping

from pipelines.report import charts, formatting
from pipelines.report.document import Cell, Chart, ReportTable, Section
from pipelines.report.glossary import Glossary
from pipelines.report.questions import Answer, Row
from pipelines.report.tables import Shown, code, flag, name, number, share, table, words, written

Answers = Mapping[str, Answer]


def sections(answers: Answers, glossary: Glossary) -> list[Section]:
    """All of them, in the order of the actions."""
    return [
        _incentives(answers, glossary),
        _stalled(answers, glossary),
        _contact(answers, glossary),
        _data(answers, glossary),
    ]


def changes(answers: Answers, glossary: Glossary) -> list[ReportTable]:
    """What changed, by study, and what was changed by hand."""
    by_study = table(
        glossary,
        answers["changed_by_study"],
        "By study",
        [
            name("study", "Study"),
            number("added", "Added"),
            number("invited", "Invited"),
            number("finished", "Finished"),
            number("incentives_sent", "Incentives sent"),
            number("missed", "Missed or cancelled"),
            number("opted_out", "Opted out"),
            number("changes", "All changes"),
        ],
        "Nothing changed in any study.",
    )
    by_hand = table(
        glossary,
        answers["by_hand"],
        "Likely changed by hand",
        [
            name("study", "Study"),
            name("from_status", "From"),
            name("to_status", "To"),
            number("changes", "Changes"),
            written("last_at", "Last at", formatting.moment),
        ],
    )
    return [by_study, by_hand] if by_hand.rows else [by_study]


def overview(answers: Answers, glossary: Glossary, anchors: Mapping[str, str]) -> ReportTable:
    """All studies. Those with a section of their own lead there."""

    def study(row: Row) -> Cell:
        anchor = anchors.get(row["study_id"])
        return Cell(
            formatting.cut(row["study"]), more=formatting.shown(row["study_id"]), href=f"#{anchor}" if anchor else ""
        )

    def completed(row: Row) -> Cell:
        limit = row["participation_limit"]
        text = formatting.count(row["completed"]) + ("" if limit is None else f" of {limit:,}")
        return Cell(text, bar=row["filled"])

    return table(
        glossary,
        answers["studies"],
        "All studies, the busiest first",
        [
            Shown("study", "Study", study, is_number=False),
            words("study_type", "Type"),
            number("participants", "Participants"),
            Shown("completed", "Completed", completed),
            number("changes", "Changes"),
            number("overdue", "Overdue incentives", "bad"),
            number("stalled", "Stalled", "warn"),
            written("last_change_at", "Last change", formatting.moment),
        ],
        "No study has participants yet.",
    )


def full(answers: Answers, glossary: Glossary) -> ReportTable:
    """Studies that have reached their limit, or nearly."""
    return table(
        glossary,
        answers["full_studies"],
        "Full, or nearly",
        [
            name("study", "Study"),
            number("completed", "Completed"),
            number("participation_limit", "Limit"),
            number("remaining", "Places left"),
            number("on_the_way", "On the way"),
        ],
        "No study is near its limit.",
    )


def _incentives(answers: Answers, glossary: Glossary) -> Section:
    states = table(
        glossary,
        answers["incentives"],
        "Incentives by state",
        [
            name("state", "State"),
            number("people", "People"),
            number("overdue", "Overdue", "bad"),
            number("hidden", "Hidden", "bad"),
            written("oldest_days", "Oldest", formatting.days),
            written("amount", "Amount", formatting.amount),
            number("without_amount", "Unknown"),
        ],
    )
    person = [code("participant_id", "Participant")]
    where = [name("study", "Study"), name("status", "Status")]
    owed = [written("age_days", "Waits", formatting.days), written("amount", "Amount", formatting.amount)]
    flags = [flag("overdue", "Overdue", "overdue"), flag("hidden", "Hidden", "hidden")]
    section = Section("incentives", "Incentives", "Incentives", "", tables=[states])
    section.tables += [
        table(glossary, answers["incentives_owed"], "Owed and not sent", [*person, *owed, *flags, *where]),
        table(
            glossary, answers["incentives_hidden"], "Owed, but not shown in any Rally table", [*person, *owed, *where]
        ),
        table(glossary, answers["incentives_returned"], "Sent, and bounced", [*person, *owed, *where]),
    ]
    daily = answers["incentives_daily"]
    if any(row["overdue"] or row["not_yet_overdue"] for row in daily.rows):
        title = "People who were owed an incentive that had not been sent, by day"
        legend = [("overdue", "var(--bad-fill)"), ("not yet overdue", "var(--warn-fill)")]
        picture = charts.backlog(daily.rows, "chart-incentives", title)
        numbers = table(
            glossary,
            daily,
            "Owed, by day",
            [
                Shown("day", "Day", lambda row: Cell(formatting.day(row["day"])), is_number=False),
                number("overdue", "Overdue", "bad"),
                number("not_yet_overdue", "Not yet overdue"),
            ],
        )
        section.charts.append(Chart("incentives", title, picture, legend, daily, numbers))
    return section


def _stalled(answers: Answers, glossary: Glossary) -> Section:
    note = (
        "In their stage for longer than 90 % of participants in studies of the same type. The most recent come first: they "
        "are the most likely to answer."
    )
    people = table(
        glossary,
        answers["stalled_participants"],
        "Most recently stalled",
        [
            code("participant_id", "Participant"),
            written("days", "In the stage", formatting.days),
            flag("to_move", "By hand", "finished?", "warn"),
            name("study", "Study"),
            name("status", "Status"),
        ],
    )
    by_stage = table(
        glossary,
        answers["stalled"],
        "Stalled, by study and stage",
        [
            name("study", "Study"),
            name("stage", "Stage"),
            number("stalled", "Stalled"),
            number("active", "In the stage"),
            number("to_move", "To move by hand", "warn"),
            written("newest_days", "Latest", formatting.days),
            written("oldest_days", "Oldest", formatting.days),
            written("usual_days", "Usual", formatting.days),
        ],
    )
    return Section("stalled", "Stalled participants", "Stalled", note, tables=[people, by_stage])


def _contact(answers: Answers, glossary: Glossary) -> Section:
    people = table(
        glossary,
        answers["contacted"],
        "People over a limit now, the latest first",
        [
            code("person_id", "Person"),
            written("exceeded_at", "Went over it", formatting.moment),
            flag("is_new", "New", "new"),
            number("contacts_30d", "Emails in 30 days"),
            name("contact_status", "Contact status"),
            name("rules", "Limit"),
        ],
    )
    rules = table(
        glossary,
        answers["contact_rules"],
        "Limits that were ever broken",
        [
            name("rule", "Limit"),
            number("at_most", "At most"),
            number("within_days", "Within days"),
            number("over_now", "Over it now", "warn"),
            number("newly", "New", "bad"),
            number("ever", "Ever"),
            number("worst", "Largest excess"),
        ],
    )
    return Section("contacted", "People contacted too much", "Contact", "", tables=[people, rules])


def _data(answers: Answers, glossary: Glossary) -> Section:
    gaps = table(
        glossary,
        answers["gaps"],
        "Missing webhooks, by study",
        [
            name("study", "Study"),
            number("newly", "New", "bad"),
            number("gaps", "In all"),
            number("participants", "Participants"),
            share("loss", "Never arrived", "broken_links", "links", "loss", "low", "high"),
            written("lost", "Lost, estimate", formatting.count),
            written("last_lost_before", "Last noticed", formatting.moment),
        ],
        "No webhook is known to be missing.",
    )
    silence = table(
        glossary,
        answers["silence"],
        "Silent for longer than usual",
        [
            name("study", "Study"),
            written("silent_since", "Silent since", formatting.moment),
            written("silence_hours", "For", formatting.hours),
            written("usual_hours", "Longest normal gap", formatting.hours),
        ],
        "Changes arrive as usual.",
    )
    rejected = table(
        glossary,
        answers["rejected"],
        "Lines that could not be used (of the whole workspace)",
        [
            words("reason", "Reason"),
            name("value", "Status"),
            number("lines", "Lines"),
            number("files", "Files"),
        ],
        "Every line could be used.",
    )
    notes = table(
        glossary,
        answers["notes"],
        "Worth knowing about the input (of the whole workspace)",
        [
            words("note", "Note"),
            code("subject", "Id"),
            number("occurrences", "Occurrences"),
            written("last_at", "Last", formatting.moment),
        ],
        "Nothing unusual.",
    )
    note = "What is missing here is missing in every number of this report."
    return Section("data", "Missing data", "Data", note, tables=[silence, gaps, rejected, notes])
