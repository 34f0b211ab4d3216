-- What happened since the last report, and on the same days a week earlier. One row per kind of event, in which each
-- participant counts once. Changes known only from a prior status have no time of their own and are left out.
--   Added: Participants first seen since the last report.
--   Invited: Participants who were invited to the study, to an interview or to a test.
--   Finished: Participants who completed an activity, even if the completion was revoked later.
--   Newly owed an incentive: Participants whose incentive became due.
--   Incentives sent: Participants whose incentive was sent.
--   Interviews missed or cancelled: Participants who missed an interview, or whose interview was cancelled.
--   Opted out: Participants who opted out or whose email hard bounced: not to be contacted again.
--   participants: How many there were since the last report.
--   before: How many there were on the same days a week earlier; more weeks earlier if the two periods would overlap.
with

events as (
    select
        status_changes.participant_id,
        status_changes.study_id,
        status_changes.occurred_at,
        statuses.*,
        effects.is_sent,
        effects.requires_state
    from marts.status_changes
    inner join reference.participant_statuses as statuses
        on status_changes.status = statuses.status
    left join reference.incentive_effects as effects
        on statuses.incentive_effect = effects.incentive_effect
    where not status_changes.is_inferred
),

owed as (
    select
        incentive_states.participant_id,
        incentive_states.study_id,
        incentive_states.began_at
    from marts.incentive_states
    inner join reference.incentive_effects as effects
        on incentive_states.backlog_state = effects.backlog_state
    where not effects.is_sent
),

counted_events as (
    select 1 as place, 'Added' as what, participant_id, study_id, first_seen_at as happened_at from marts.participants
    union all
    select 2, 'Invited', participant_id, study_id, occurred_at from events where is_invitation
    union all
    select 3, 'Finished', participant_id, study_id, occurred_at from events where is_completion
    union all
    select 4, 'Newly owed an incentive', participant_id, study_id, began_at from owed
    union all
    select 5, 'Incentives sent', participant_id, study_id, occurred_at from events where is_sent and requires_state is null
    union all
    select 6, 'Interviews missed or cancelled', participant_id, study_id, occurred_at from events
    where dashboard_series in ('no_shows', 'interviews_cancelled')
    union all
    select 7, 'Opted out', participant_id, study_id, occurred_at from events where ends_contact
),

kinds as (
    select *
    from (values
        (1, 'Added'), (2, 'Invited'), (3, 'Finished'), (4, 'Newly owed an incentive'), (5, 'Incentives sent'),
        (6, 'Interviews missed or cancelled'), (7, 'Opted out')
    ) as kinds (place, what)
)

select
    kinds.what,
    count(distinct counted_events.participant_id) filter (counted_events.happened_at > $since) as participants,
    count(distinct counted_events.participant_id) filter (
        counted_events.happened_at > $before_since and counted_events.happened_at <= $before_until
    ) as before
from kinds
left join counted_events
    on
        kinds.what = counted_events.what
        and counted_events.study_id = coalesce($study, counted_events.study_id)
group by kinds.place, kinds.what
order by kinds.place
