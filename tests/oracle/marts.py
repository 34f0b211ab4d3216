"""The marts of issue 3, gathered: each takes a Workspace and gives rows as dicts."""

from .marts_backlog import incentive_backlog, incentive_backlog_daily
from .marts_flow import (
    ageing_participants,
    stage_durations,
    status_durations,
    study_stage_daily,
    transitions,
)
from .marts_funnel import study_drop_off, study_funnel, study_funnel_cohorts, time_to_recruit
from .marts_paths import study_paths
from .marts_peers import study_peers
from .marts_people import Limit, contact_limits, people
from .marts_study import activity_daily, study_progress
from .workspace import Workspace, percentile

__all__ = [
    "Limit",
    "Workspace",
    "activity_daily",
    "ageing_participants",
    "contact_limits",
    "incentive_backlog",
    "incentive_backlog_daily",
    "people",
    "percentile",
    "stage_durations",
    "status_durations",
    "study_drop_off",
    "study_funnel",
    "study_funnel_cohorts",
    "study_paths",
    "study_peers",
    "study_progress",
    "study_stage_daily",
    "time_to_recruit",
    "transitions",
]
