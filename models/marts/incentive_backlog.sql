with

open_states as (
    select
        participant_id,
        person_id,
        study_id,
        backlog_state,
        began_at
    from {{ ref('incentive_states') }}
    where ended_at is null and backlog_state is not null
),

past_states as (
    select
        participant_id,
        backlog_state
    from {{ ref('incentive_states') }}
    where ended_at is not null
),

effects as (
    select * from {{ ref('incentive_effects') }}
    where backlog_state is not null
),

participants as (
    select
        participant_id,
        current_stage,
        current_status
    from {{ ref('participants') }}
),

stages as (
    select * from {{ ref('stages') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

sent_states as (
    select distinct backlog_state from effects
    where is_sent
),

backlog as (
    select
        *,
        {{ days_between('began_at', as_of()) }} as age_days
    from open_states
),

sent_before as (
    select distinct past_states.participant_id
    from past_states
    inner join sent_states
        on past_states.backlog_state = sent_states.backlog_state
    inner join open_states
        on past_states.participant_id = open_states.participant_id
)

select
    backlog.participant_id,
    backlog.person_id,
    backlog.study_id,
    participants.current_status,

    backlog.backlog_state,
    backlog.began_at as owed_since,
    backlog.age_days,
    case
        when backlog.age_days < 3 then '0-2'
        when backlog.age_days < 8 then '3-7'
        when backlog.age_days < 15 then '8-14'
        when backlog.age_days < 31 then '15-30'
        else 'over 30'
    end as age_bucket,

    backlog.began_at < {{ days_before(as_of(), var('incentive_sla_days')) }} as is_overdue,
    sent_states.backlog_state is null and not coalesce(stages.awaits_incentive, false) as is_hidden,
    sent_before.participant_id is not null as previously_sent,
    studies.incentive_cents as amount_cents
from backlog
inner join participants
    on backlog.participant_id = participants.participant_id
inner join stages
    on participants.current_stage = stages.stage
inner join studies
    on backlog.study_id = studies.study_id
left join sent_states
    on backlog.backlog_state = sent_states.backlog_state
left join sent_before
    on backlog.participant_id = sent_before.participant_id
