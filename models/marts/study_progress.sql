{%- set stages = ['not_started', 'invited', 'screening', 'in_progress', 'pending_incentive', 'done', 'cancelled'] -%}
with

participants as (
    select * from {{ ref('int_participants') }}
),

progress as (
    select * from {{ ref('int_participations') }}
),

backlog as (
    select participant_key
    from {{ ref('int_incentive_states') }}
    where ended_at is null and backlog_state is not null
),

studies as (
    select * from {{ ref('int_studies') }}
),

stages as (
    select * from {{ ref('stages') }}
),

manual as (
    select
        completions.study_key,
        count(*) as likely_manual_completions
    from {{ ref('int_completions') }} as completions
    inner join {{ ref('int_unexpected_changes') }} as unexpected
        on
            completions.participant_key = unexpected.participant_key
            and completions.sequence_number = unexpected.sequence_number
    group by completions.study_key
),

by_study as (
    select
        participants.study_key,
        count(*) as participants,
        sum(progress.invited) as invited,
        sum(progress.screened) as screened,
        sum(progress.passed_screener) as passed_screener,
        sum(progress.booked_interview) as booked_interview,
        sum(progress.completed_interview) as completed_interview,
        sum(progress.completed_survey) as completed_survey,
        sum(progress.completed_test) as completed_test,
        sum(progress.completed_any) as completed_any,
        sum(progress.missed_interview) as missed_interview,
        sum(greatest(progress.missed_interview, progress.completed_interview)) as expected_at_interview,
        sum(progress.cancelled_interview) as cancelled_interview,
        sum(progress.opted_out) as opted_out,
        sum(progress.bounced) as bounced,
        {%- for name in stages %}
            sum(case when stages.stage_key = '{{ name }}' then 1 else 0 end) as stage_{{ name }},
        {%- endfor %}
        count(backlog.participant_key) as backlog,
        sum(participants.missing_changes) as gaps,
        sum(participants.status_changes) as delivered_changes,
        min(participants.first_seen_at) as first_change_at,
        max(participants.last_changed_at) as last_change_at
    from participants
    inner join progress
        on participants.participant_key = progress.participant_key
    inner join stages
        on participants.stage_order = stages.stage_order
    left join backlog
        on participants.participant_key = backlog.participant_key
    group by participants.study_key
)

select
    studies.study_id,
    studies.study_name,
    studies.study_type,

    cast(by_study.participants as integer) as participants,
    cast(by_study.invited as integer) as invited,
    cast(by_study.booked_interview as integer) as interviews_booked,
    cast(by_study.completed_any as integer) as completed,
    cast(by_study.completed_interview as integer) as interviews_completed,
    cast(by_study.completed_survey as integer) as surveys_completed,
    cast(by_study.completed_test as integer) as tests_completed,
    cast(coalesce(manual.likely_manual_completions, 0) as integer) as likely_manual_completions,
    cast(by_study.missed_interview as integer) as no_shows,
    cast(by_study.cancelled_interview as integer) as cancellations,
    cast(by_study.opted_out as integer) as opt_outs,
    cast(by_study.bounced as integer) as bounces,

    cast(by_study.screened as integer) as screened,
    cast(by_study.passed_screener as integer) as passed_screener,
    {{ ratio('by_study.passed_screener', 'by_study.screened') }} as screener_pass_rate,
    cast(by_study.expected_at_interview as integer) as expected_at_interview,
    {{ ratio('by_study.completed_interview', 'by_study.expected_at_interview') }} as show_rate,

    {%- for name in stages %}
        cast(by_study.stage_{{ name }} as integer) as stage_{{ name }},
    {%- endfor %}
    cast(by_study.backlog as integer) as backlog,

    studies.participation_limit,
    case
        when studies.participation_limit <= by_study.completed_any then 0
        else cast(studies.participation_limit - by_study.completed_any as integer)
    end as remaining,

    cast(by_study.gaps as integer) as gaps,
    {{ ratio('by_study.delivered_changes', '(by_study.delivered_changes + by_study.gaps)') }} as completeness,
    by_study.first_change_at,
    by_study.last_change_at
from by_study
inner join studies
    on by_study.study_key = studies.study_key
left join manual
    on by_study.study_key = manual.study_key
