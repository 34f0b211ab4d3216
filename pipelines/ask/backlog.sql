-- The backlog, the most urgent first: overdue incentives, among these the ones never sent, among these the ones that no
-- table in Rally shows, then the oldest. A null $study_id or $backlog_state means all.
create temp table listing as
with

states as (
    select distinct
        backlog_state,
        is_sent
    from reference.incentive_effects
    where backlog_state is not null
)

select
    backlog.participant_id,
    backlog.person_id,
    backlog.study_id,
    studies.study_name,
    backlog.current_status,
    statuses.label as current_status_label,
    backlog.backlog_state,
    backlog.owed_since,
    backlog.age_days,
    backlog.age_bucket,
    backlog.is_overdue,
    backlog.is_hidden,
    backlog.previously_sent,
    backlog.is_study_closed,
    backlog.amount_cents,
    backlog.currency,
    built_as_of.as_of,
    row_number() over (
        order by backlog.is_overdue desc, states.is_sent, backlog.is_hidden desc, backlog.owed_since, backlog.participant_id
    ) as place
from marts.incentive_backlog as backlog
inner join marts.study_progress as studies
    on backlog.study_id = studies.study_id
left join reference.participant_statuses as statuses
    on backlog.current_status = statuses.status
left join states
    on backlog.backlog_state = states.backlog_state
cross join audit.built_as_of
where
    ($study_id is null or backlog.study_id = $study_id)
    and ($backlog_state is null or backlog.backlog_state = $backlog_state)
    and (not $only_overdue or backlog.is_overdue)
    and (not $only_hidden or backlog.is_hidden)
