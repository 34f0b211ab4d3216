with

funnel as (
    select
        study_id,
        step,
        step_order,
        dropped_active,
        dropped_lost,
        lag(step_order) over (partition by study_id order by step_order) as previous_step_order
    from {{ ref('study_funnel') }}
),

participants as (
    select * from {{ ref('int_participants') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

progress as (
    select * from {{ ref('study_progress') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

stages as (
    select * from {{ ref('stages') }}
),

status_counts as (
    select
        study_key,
        furthest_step_order,
        status_rank,
        stage_order,
        is_terminal,
        count(*) as participants
    from participants
    group by study_key, furthest_step_order, status_rank, stage_order, is_terminal
)

select
    funnel.study_id,
    funnel.step,
    funnel.step_order,
    statuses.status,
    statuses.label as status_label,

    cast(status_counts.participants as integer) as participants,
    {{ ratio('status_counts.participants', '(funnel.dropped_active + funnel.dropped_lost)') }} as share_of_drop,
    {{ is_lost('status_counts', 'statuses') }} as is_lost,
    -- Someone with an incentive to receive or to claim may still come, even if the study waits for nobody.
    not {{ is_lost('status_counts', 'statuses') }}
    and (
        status_counts.is_terminal
        or coalesce(stages.awaits_incentive, false)
        or not {{ is_let_go('statuses', 'progress') }}
    ) as may_still_come
from status_counts
inner join studies
    on status_counts.study_key = studies.study_key
inner join progress
    on studies.study_id = progress.study_id
left join stages
    on status_counts.stage_order = stages.stage_order
inner join statuses
    on status_counts.status_rank = statuses.status_rank
inner join funnel
    on
        studies.study_id = funnel.study_id
        and status_counts.furthest_step_order = funnel.previous_step_order
