with

backlog as (
    select
        participant_key,
        study_key,
        backlog_state,
        began_at,
        {{ days_between('began_at', as_of()) }} as age_days
    from {{ ref('int_incentive_states') }}
    where ended_at is null and backlog_state is not null
),

past_states as (
    select
        participant_key,
        incentive_status
    from {{ ref('int_incentive_states') }}
    where ended_at is not null
),

participants as (
    select
        participant_key,
        participant_id,
        person_id,
        study_id,
        status_rank,
        stage_order
    from {{ ref('int_participants') }}
),

stages as (
    select * from {{ ref('stages') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

sent_states as (
    select distinct backlog_state from statuses
    where is_sent
),

-- A custom incentive that was sent has one of these statuses but no backlog state.
sent_statuses as (
    select distinct incentive_status from statuses
    where is_sent
),

previously_sent as (
    select distinct past_states.participant_key
    from past_states
    inner join sent_statuses
        on past_states.incentive_status = sent_statuses.incentive_status
    inner join backlog
        on past_states.participant_key = backlog.participant_key
)

select
    participants.participant_id,
    participants.person_id,
    participants.study_id,
    statuses.status as current_status,

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
    -- Rally shows an incentive that was not sent only in a stage that awaits incentives.
    sent_states.backlog_state is null and not coalesce(stages.awaits_incentive, false) as is_hidden,
    previously_sent.participant_key is not null as previously_sent,
    studies.is_closed as is_study_closed,
    studies.incentive_cents as amount_cents,
    studies.currency
from backlog
inner join participants
    on backlog.participant_key = participants.participant_key
inner join statuses
    on participants.status_rank = statuses.status_rank
inner join stages
    on participants.stage_order = stages.stage_order
inner join studies
    on backlog.study_key = studies.study_key
left join sent_states
    on backlog.backlog_state = sent_states.backlog_state
left join previously_sent
    on backlog.participant_key = previously_sent.participant_key
