"""The sections of a report: the lists behind the actions, and all studies in one table."""

from collections.abc import Mapping

from pipelines.report import charts
from pipelines.report.document import Chart, ReportTable, Section
from pipelines.report.questions import Answer
from pipelines.report.tables import View, table

Answers = Mapping[str, Answer]


def sections(answers: Answers, view: View) -> list[Section]:
    """All of them, in the order of the actions."""

    def of(name: str, caption: str, empty: str = "None.") -> ReportTable:
        return table(view, answers[name], caption, empty)

    incentives = [
        of("incentives", "Incentives by state"),
        of("incentives_money", "Amounts, by state and currency"),
        of("incentives_owed", "Owed and not sent"),
        of("incentives_hidden", "Owed, but not shown in any Rally table"),
        of("incentives_returned", "Sent, and bounced"),
        of("incentives_unclaimed", "Sent, and not claimed"),
    ]
    charts_of_incentives = _incentives_daily(answers["incentives_daily"], view)
    stalled = [
        of("stalled_participants", "Whom to nudge, the most recently stalled first"),
        of("stalled", "Stalled, by study and stage"),
    ]
    contact = [
        of("contacted", "People over a limit now, the latest first"),
        of("contact_rules", "Limits that were ever broken"),
    ]
    gaps = of("gaps", "Missing webhooks, by study", "No webhook is known to be missing.")
    data = [
        of("silence", "Silent for longer than usual", "Changes arrive as usual."),
        gaps,
        of("rejected", "Lines that could not be used (of the whole workspace)", "Every line could be used."),
        of("notes", "Worth knowing about the input (of the whole workspace)", "Nothing unusual."),
    ]
    of_stalled = (
        "They have been in their stage for longer than 90 % of participants in studies of the same type. People who were "
        "disqualified, who are in a study that is closed or full, who were not invited yet, or who wait for an incentive do not count."
    )
    of_data = "What is missing here is missing in every number of this report."
    return [
        Section("incentives", "Incentives", "Incentives", "", charts_of_incentives, incentives),
        Section("stalled", "Stalled participants", "Stalled", of_stalled, tables=stalled),
        Section("contacted", "People contacted too much", "Contact", "", tables=contact),
        Section("data", "Missing data", "Data", of_data, tables=data),
    ]


def changes(answers: Answers, view: View) -> list[ReportTable]:
    """What changed, by study, and what was changed by hand."""
    by_study = table(view, answers["changed_by_study"], "By study", "Nothing changed in any study.")
    by_hand = table(view, answers["by_hand"], "Likely changed by hand")
    return [by_study, by_hand] if by_hand.rows else [by_study]


def overview(answers: Answers, view: View) -> ReportTable:
    """All studies. Those with a section of their own lead there."""
    empty = "No study has participants yet."
    return table(view, answers["studies"], "All studies, the busiest first", empty)


def full(answers: Answers, view: View) -> ReportTable:
    """Studies that have reached their limit, or nearly."""
    return table(view, answers["full_studies"], "Full, or nearly", "No open study is near its limit.")


def summary(answers: Answers, view: View) -> list[ReportTable]:
    """The tables on studies of the first page."""
    nothing = "No open study differs from its type for the worse, or there are too few to compare."
    return [
        table(view, answers["peers"], "Worse than studies of the same type", nothing),
        full(answers, view),
    ]


def _incentives_daily(daily: Answer, view: View) -> list[Chart]:
    if not any(row["overdue"] or row["not_yet_overdue"] for row in daily.rows):
        return []
    title = "People who were owed an incentive that had not been sent, by day"
    legend = [("overdue", "var(--bad-fill)"), ("not yet overdue", "var(--warn-fill)")]
    picture = charts.backlog(daily.rows, "chart-incentives", title)
    return [Chart("incentives", title, picture, legend, daily, table(view, daily, "Owed, by day"))]
