{%- set stages = ['not_started', 'invited', 'screening', 'in_progress', 'pending_incentive', 'done', 'cancelled'] -%}
{#- Columns that count the participants of whom a column of int_participations is 1. -#}
{%- set counts = {
    'invited': 'invited', 'interviews_booked': 'booked_interview', 'completed': 'completed_any',
    'interviews_completed': 'completed_interview', 'surveys_completed': 'completed_survey',
    'tests_completed': 'completed_test', 'no_shows': 'missed_interview', 'cancellations': 'cancelled_interview',
    'opt_outs': 'opted_out', 'bounces': 'bounced', 'screened': 'screened', 'auto_qualified': 'passed_screener'
} -%}
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

qualified as (
    select min(step_order) as step_order
    from {{ ref('stg_statuses') }}
    where is_screener_pass
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
        cast(count(*) as integer) as participants,
        {%- for name, column in counts.items() %}
            cast(sum(progress.{{ column }}) as integer) as {{ name }},
        {%- endfor %}
        sum(case when participants.furthest_step_order >= qualified.step_order then progress.screened else 0 end)
            as passed_screener,
        sum(greatest(progress.missed_interview, progress.completed_interview)) as expected_at_interview,
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
    cross join qualified
    left join backlog
        on participants.participant_key = backlog.participant_key
    group by participants.study_key
)

select
    studies.study_id,
    studies.study_name,
    studies.study_type,

    by_study.participants,
    {%- for name in counts %}
        by_study.{{ name }},
    {%- endfor %}
    cast(coalesce(manual.likely_manual_completions, 0) as integer) as likely_manual_completions,

    cast(by_study.passed_screener as integer) as passed_screener,
    {{ ratio('by_study.passed_screener', 'by_study.screened') }} as screener_pass_rate,
    {{ ratio('by_study.auto_qualified', 'by_study.screened') }} as auto_qualified_rate,
    cast(by_study.expected_at_interview as integer) as expected_at_interview,
    {{ ratio('by_study.interviews_completed', 'by_study.expected_at_interview') }} as show_rate,

    {%- for name in stages %}
        cast(by_study.stage_{{ name }} as integer) as stage_{{ name }},
    {%- endfor %}
    cast(by_study.backlog as integer) as backlog,

    studies.participation_limit,
    studies.participation_limit - least(by_study.completed, studies.participation_limit) as remaining,
    by_study.completed - least(by_study.completed, studies.participation_limit) as over_limit,
    coalesce(by_study.completed >= studies.participation_limit, false) as is_full,
    studies.closed_on,
    studies.is_closed,

    cast(by_study.gaps as integer) as gaps,
    {{ ratio('by_study.delivered_changes', '(by_study.delivered_changes + by_study.gaps)') }} as completeness,
    by_study.first_change_at,
    by_study.last_change_at
from by_study
inner join studies
    on by_study.study_key = studies.study_key
left join manual
    on by_study.study_key = manual.study_key
