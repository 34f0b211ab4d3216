{%- set stages = ['not_started', 'invited', 'screening', 'in_progress', 'pending_incentive', 'done', 'cancelled'] -%}
{#- Columns that count participants, and the flag in int_participations that each counts. -#}
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

participations as (
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

-- The funnel step at which someone counts as having passed the screener.
qualified as (
    select min(step_order) as step_order
    from {{ ref('stg_statuses') }}
    where is_screener_pass
),

-- Completions by an unexpected move or in a bulk edit were probably entered by hand.
manual_completions as (
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

study_counts as (
    select
        participants.study_key,
        cast(count(*) as integer) as participants,
        {%- for name, column in counts.items() %}
            cast(sum(participations.{{ column }}) as integer) as {{ name }},
        {%- endfor %}
        sum(case when participants.furthest_step_order >= qualified.step_order then participations.screened else 0 end)
            as passed_screener,
        sum(greatest(participations.missed_interview, participations.completed_interview)) as expected_at_interview,
        {%- for name in stages %}
            sum(case when stages.stage_key = '{{ name }}' then 1 else 0 end) as stage_{{ name }},
        {%- endfor %}
        count(backlog.participant_key) as backlog,
        sum(participants.missing_changes) as gaps,
        sum(participants.status_changes) as delivered_changes,
        min(participants.first_seen_at) as first_change_at,
        max(participants.last_changed_at) as last_change_at
    from participants
    inner join participations
        on participants.participant_key = participations.participant_key
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

    study_counts.participants,
    {%- for name in counts %}
        study_counts.{{ name }},
    {%- endfor %}
    cast(coalesce(manual_completions.likely_manual_completions, 0) as integer) as likely_manual_completions,

    cast(study_counts.passed_screener as integer) as passed_screener,
    {{ ratio('study_counts.passed_screener', 'study_counts.screened') }} as screener_pass_rate,
    {{ ratio('study_counts.auto_qualified', 'study_counts.screened') }} as auto_qualified_rate,
    cast(study_counts.expected_at_interview as integer) as expected_at_interview,
    {{ ratio('study_counts.interviews_completed', 'study_counts.expected_at_interview') }} as show_rate,

    {%- for name in stages %}
        cast(study_counts.stage_{{ name }} as integer) as stage_{{ name }},
    {%- endfor %}
    cast(study_counts.backlog as integer) as backlog,

    studies.participation_limit,
    studies.participation_limit - least(study_counts.completed, studies.participation_limit) as remaining,
    study_counts.completed - least(study_counts.completed, studies.participation_limit) as over_limit,
    coalesce(study_counts.completed >= studies.participation_limit, false) as is_full,
    studies.closed_on,
    studies.is_closed,

    cast(study_counts.gaps as integer) as gaps,
    {{ ratio('study_counts.delivered_changes', '(study_counts.delivered_changes + study_counts.gaps)') }}
        as completeness,
    study_counts.first_change_at,
    study_counts.last_change_at
from study_counts
inner join studies
    on study_counts.study_key = studies.study_key
left join manual_completions
    on study_counts.study_key = manual_completions.study_key
