-- What happened since the last report, by study. Studies in which nothing happened are left out.
-- All: studyflow studies
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   added | Added | number: Participants first seen since the last report.
--   invited | Invited | number: Participants who were invited to the study, to an interview or to a test since the last report.
--   finished | Finished | number: Participants who completed an activity since the last report, even if the completion was revoked later.
--   incentives_sent | Incentives sent | number: Participants whose incentive was sent since the last report.
--   missed | Interviews missed or cancelled | number: Participants who missed an interview, or whose interview was cancelled, since the last report.
--   opted_out | Opted out | number: Participants who opted out, or whose email hard bounced, since the last report.
--   changes | All changes | number: Status changes of all participants since the last report.
with

added as (
    select
        study_id,
        count(*) as participants
    from marts.participants
    where first_seen_at > $since
    group by study_id
),

events as (
    select
        status_changes.participant_id,
        status_changes.study_id,
        statuses.*
    from marts.status_changes
    inner join reference.participant_statuses as statuses
        on status_changes.status = statuses.status
    where not status_changes.is_inferred and status_changes.occurred_at > $since
),

by_study as (
    select
        events.study_id,
        count(*) as changes,
        count(distinct participant_id) filter (is_invitation) as invited,
        count(distinct participant_id) filter (is_completion) as finished,
        count(distinct participant_id) filter (incentive_effects.is_sent and incentive_effects.requires_state is null)
            as incentives_sent,
        count(distinct participant_id) filter (dashboard_series in ('no_shows', 'interviews_cancelled')) as missed,
        count(distinct participant_id) filter (ends_contact) as opted_out
    from events
    left join reference.incentive_effects
        on events.incentive_effect = incentive_effects.incentive_effect
    group by events.study_id
)

select
    studies.study_id,
    coalesce(studies.study_name, studies.study_id) as study,
    coalesce(added.participants, 0) as added,
    by_study.invited,
    by_study.finished,
    by_study.incentives_sent,
    by_study.missed,
    by_study.opted_out,
    by_study.changes,
    count(*) over () as of_all
from by_study
inner join marts.study_progress as studies
    on by_study.study_id = studies.study_id
left join added
    on by_study.study_id = added.study_id
where by_study.study_id = coalesce($study, by_study.study_id)
order by by_study.changes desc, by_study.study_id
limit $rows
