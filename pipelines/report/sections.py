"""The sections of a report, except those of single studies."""

from pipelines.report import charts
from pipelines.report.document import Chart, ReportTable, Section
from pipelines.report.questions import Answer, Answers
from pipelines.report.tables import View, table


def sections(answers: Answers, view: View) -> list[Section]:
    """The sections after the first page, in order."""

    def of(name: str, caption: str, empty: str = "None.") -> ReportTable:
        return table(view, answers[name], caption, empty)

    incentives = [
        of("incentives", "Incentives by state"),
        of("incentives_money", "Amounts, by state and currency"),
        of("incentives_owed", "Owed and not sent"),
        of("incentives_hidden", "Owed, but not shown in any Rally table"),
        of("incentives_returned", "Sent, but bounced"),
        of("incentives_unclaimed", "Sent, but not claimed"),
    ]
    charts_of_incentives = _incentives_daily(answers["incentives_daily"], view)
    stalled = [
        of("stalled_participants", "Participants to remind or to move by hand, most recently stalled first"),
        of("stalled", "What to do about stalled participants, by study and stage"),
    ]
    contact = [
        of("contacted", "People over a limit now, latest first"),
        of("contact_rules", "Limits that have been exceeded"),
    ]
    gaps = of("gaps", "Missing webhooks, by study", "No webhook is known to be missing.")
    data = [
        of("silence", "Silent for longer than usual", "Changes arrive as usual."),
        gaps,
        of("rejected", "Lines that could not be used (whole workspace)", "Every line could be used."),
        of("notes", "Notes on the input (whole workspace)", "Nothing unusual."),
    ]
    recruiting = [
        of("steps_below_usual", "Steps where far fewer participants continue than usual"),
        of("invited_too_many", "Days in the last week with far more invitations than needed"),
    ]
    of_stalled = (
        "Stalled participants are in Invited, Screening or In Progress, and have been there for longer than 90% of "
        "completed visits to that stage in studies of the same type. People who were disqualified, or whose study is closed "
        "or full, need no action and are not listed. The table by study and stage counts them under Let go, but only in stages "
        "in which somebody is to be reminded or moved by hand."
    )
    of_data = (
        "A change whose webhook never arrived is missing from this report, unless a later webhook names its status as the "
        "prior one. The report then shows that the status was reached, but the change is not counted under What changed or as "
        "a contact, and no durations are measured from it."
    )
    of_forecasts = "Forecasts assume that nobody else is invited. Studies that are closed or full are not listed."
    forecasts = [of("forecasts", "Open studies, earliest target date first", "No study is open.")]
    return [
        Section("forecasts", "When studies will be full", "Forecasts", of_forecasts, tables=forecasts),
        Section("recruiting", "Recruiting", "Recruiting", "", tables=recruiting),
        Section("incentives", "Incentives", "Incentives", "", charts_of_incentives, incentives),
        Section("stalled", "Stalled participants", "Stalled", of_stalled, tables=stalled),
        Section("contacted", "People contacted too often", "Contact", "", tables=contact),
        Section("data", "Missing data", "Data", of_data, tables=data),
    ]


def changes(answers: Answers, view: View) -> list[ReportTable]:
    """The tables under What changed: by study, and changes likely made by hand, if any."""
    by_study = table(view, answers["changed_by_study"], "By study", "Nothing changed in any study.")
    by_hand = table(view, answers["by_hand"], "Status changes likely made by hand")
    return [by_study, by_hand] if by_hand.rows else [by_study]


def summary(answers: Answers, view: View) -> list[ReportTable]:
    """The tables about studies on the first page."""
    empty = "No open study does worse than studies of the same type, or there are too few to compare."
    return [
        table(view, answers["peers"], "Worse than studies of the same type", empty),
        table(view, answers["full_studies"], "Full or nearly full", "No open study is near its limit."),
    ]


def _incentives_daily(daily: Answer, view: View) -> list[Chart]:
    if not any(row["overdue"] or row["not_yet_overdue"] for row in daily.rows):
        return []
    title = "People owed an incentive that had not been sent, by day"
    legend = [("overdue", "var(--bad-fill)"), ("not yet overdue", "var(--warn-fill)")]
    svg = charts.backlog(daily.rows, "chart-incentives", title)
    return [Chart("incentives", title, svg, legend, daily, table(view, daily, "Owed, by day (chart)"))]
