with

participants as (
    select * from {{ ref('participants') }}
    where not is_terminal
),

visits as (
    select * from {{ ref('int_stage_visits') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

stages as (
    select * from {{ ref('stages') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

visits_of_type as (
    select
        visits.participant_id,
        studies.study_type,
        visits.stage,
        visits.started_at,
        visits.is_open,
        visits.hours
    from visits
    inner join studies
        on visits.study_id = studies.study_id
    inner join stages
        on visits.stage = stages.stage
    where not coalesce(stages.is_terminal, false)
),

completed as (
    select
        study_type,
        stage,
        count(*) as visits
    from visits_of_type
    where not is_open
    group by study_type, stage
),

-- A range, not rows: visits that took equally long all count.
compared as (
    select
        *,
        sum(case when is_open then 0 else 1 end) over (
            partition by study_type, stage order by hours range between unbounded preceding and current row
        ) as completed_no_longer
    from visits_of_type
),

aged as (
    select
        compared.participant_id,
        compared.started_at,
        compared.hours,
        {{ ratio('compared.completed_no_longer', 'completed.visits') }} as percentile
    from compared
    left join completed
        on
            compared.study_type = completed.study_type
            and compared.stage = completed.stage
    where compared.is_open
)

select
    participants.participant_id,
    participants.person_id,
    participants.study_id,
    participants.study_type,

    participants.current_stage,
    participants.current_status,
    participants.current_status_label,
    aged.started_at as stage_since,
    aged.hours as hours_in_stage,

    aged.percentile,
    coalesce(aged.percentile > 0.9, false) as is_stalled,
    statuses.is_moved_by_hand as is_to_be_moved_by_hand
from participants
inner join aged
    on participants.participant_id = aged.participant_id
inner join statuses
    on participants.current_status = statuses.status
