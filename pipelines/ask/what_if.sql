-- One row per study that invited anybody in the last year: how many of its invitations a rule would have stopped. The
-- rule stops an event of $judged_kind if there were more than $at_most of $counted_kind in the last $within_days days,
-- including this one. Stopped invitations, and the events that followed from them, do not count any more.
create temp table listing as
with recursive

-- Activities cannot be stopped, so a rule that judges them stops the next invitation to a study instead.
rule as (
    select
        case when $judged_kind in ('invitation', 'study_invitation') then $judged_kind else 'study_invitation' end
            as judged_kind,
        $counted_kind as counted_kind,
        $at_most - case when $judged_kind = $counted_kind then 1 else 0 end as at_most_before,
        to_days($within_days) as span,
        built_as_of.as_of,
        built_as_of.as_of - to_days(365) as since
    from audit.built_as_of
),

events as (
    select
        events.person_key,
        events.participant_key,
        events.occurred_at,
        events.kind = rule.judged_kind as is_invitation,
        events.kind = rule.judged_kind and events.occurred_at > rule.since as is_judged,
        events.kind = rule.counted_kind as is_counted
    from intermediate.int_governed_events as events
    inner join rule
        on
            events.kind in (rule.judged_kind, rule.counted_kind)
            and events.occurred_at > rule.since - rule.span
            and events.occurred_at <= rule.as_of
),

-- Among events at the same instant, those that only count come first, as in contact_limits.
numbered as (
    select
        events.*,
        row_number() over (
            partition by events.person_key
            order by events.occurred_at, events.is_invitation, participants.study_id, participants.participant_id
        ) as number
    from events
    inner join intermediate.int_participants as participants
        on events.participant_key = participants.participant_key
),

-- People with no more events in all that time than the rule allows are left out, because the rule stops nothing for
-- them.
people_over_limit as (
    select person_key
    from events
    cross join rule
    group by person_key, rule.at_most_before
    having count(*) filter (is_counted) > rule.at_most_before and bool_or(is_judged)
),

-- Goes through the events of all people one by one, and collects the counted instants that were not stopped and the
-- studies whose invitation was stopped.
replayed as (
    select
        person_key,
        cast(0 as bigint) as number,
        cast(null as ubigint) as participant_key,
        cast(null as timestamptz) as occurred_at,
        false as is_invitation,
        false as is_judged,
        false as is_stopped,
        cast([] as timestamptz[]) as counted,
        cast([] as ubigint[]) as uninvited
    from people_over_limit
    union all
    select
        next.person_key,
        next.number,
        next.participant_key,
        next.occurred_at,
        next.is_invitation,
        next.is_judged,
        next.is_stopped,
        case
            when next.is_counted and not next.is_stopped and (next.is_invitation or not next.is_uninvited)
                then list_append(next.counted, next.occurred_at)
            else next.counted
        end as counted,
        case
            when next.is_stopped then list_append(next.uninvited, next.participant_key)
            when next.is_invitation then list_filter(next.uninvited, lambda invited: invited <> next.participant_key)
            else next.uninvited
        end as uninvited
    from (
        select
            numbered.*,
            replayed.uninvited,
            list_contains(replayed.uninvited, numbered.participant_key) as is_uninvited,
            list_filter(replayed.counted, lambda earlier: earlier > numbered.occurred_at - rule.span) as counted,
            numbered.is_judged
            and len(list_filter(replayed.counted, lambda earlier: earlier > numbered.occurred_at - rule.span))
            > rule.at_most_before as is_stopped
        from replayed
        inner join numbered
            on replayed.person_key = numbered.person_key and replayed.number + 1 = numbered.number
        cross join rule
    ) as next
),

judged as (
    select
        events.participant_key,
        events.occurred_at,
        false as is_stopped
    from events
    where events.is_invitation and events.person_key not in (select people_over_limit.person_key from people_over_limit)
    union all
    select
        participant_key,
        occurred_at,
        is_stopped
    from replayed
    where is_invitation
),

completed as (
    select
        participant_key,
        min(completed_at) as completed_at
    from intermediate.int_completions
    group by participant_key
),

participants as (
    select
        participants.participant_key,
        participants.person_id,
        participants.study_id,
        participants.is_terminal,
        completed.completed_at,
        count(*) filter (judged.occurred_at > rule.since) as invitations,
        count(*) filter (judged.is_stopped) as stopped,
        min(judged.occurred_at) filter (judged.is_stopped) as first_stopped_at,
        min(judged.occurred_at) filter (not judged.is_stopped) as first_kept_at,
        participations.first_invited_at <= rule.since as is_invited_before,
        date_diff('second', participations.first_invited_at, rule.as_of) / 86400 as age_days,
        rule.as_of
    from judged
    cross join rule
    inner join intermediate.int_participants as participants
        on judged.participant_key = participants.participant_key
    inner join intermediate.int_participations as participations
        on judged.participant_key = participations.participant_key
    left join completed
        on judged.participant_key = completed.participant_key
    group by all
),

-- People who would not have been invited before they completed, or not at all. A later invitation does not count as a
-- cause of the completion.
outcomes as (
    select
        *,
        stopped > 0
        and not is_invited_before
        and (first_kept_at is null or first_kept_at > completed_at)
        and (completed_at is null or completed_at > first_stopped_at) as is_uninvited
    from participants
),

-- People who are still active complete with the probability in the incidence for their age, of the study or else of its
-- type.
incidence as (
    select
        studies.study_id,
        curves.days,
        curves.completed_share,
        curves.lost_share
    from marts.study_forecast as studies
    inner join marts.study_incidence as curves
        on
            studies.study_type = curves.study_type
            and curves.study_id is not distinct from case when studies.rests_on = 'study' then studies.study_id end
    where curves.begins_with = 'any_invitation' and curves.started_month is null and curves.completed_share is not null
),

-- The shares by their age. Shares never decrease, so the largest is the latest.
shares_at_age as (
    select
        outcomes.participant_key,
        max(incidence.completed_share) as completed_in_the_end,
        coalesce(max(incidence.completed_share) filter (incidence.days <= outcomes.age_days), 0) as completed,
        coalesce(max(incidence.lost_share) filter (incidence.days <= outcomes.age_days), 0) as lost
    from outcomes
    inner join incidence
        on outcomes.study_id = incidence.study_id
    where outcomes.is_uninvited and outcomes.completed_at is null and not outcomes.is_terminal
    group by outcomes.participant_key
),

chances as (
    select
        participant_key,
        (completed_in_the_end - completed) / nullif(1 - completed - lost, 0) as chance
    from shares_at_age
)

select
    outcomes.study_id,
    studies.study_name,
    outcomes.person_id,
    outcomes.invitations,
    outcomes.stopped,
    outcomes.is_uninvited,
    outcomes.is_uninvited and outcomes.completed_at is not null as is_lost,
    coalesce(chances.chance, 0) as chance,
    outcomes.completed_at is not null as is_completed,
    outcomes.as_of
from outcomes
inner join marts.study_progress as studies
    on outcomes.study_id = studies.study_id
left join chances
    on outcomes.participant_key = chances.participant_key
where outcomes.invitations > 0
