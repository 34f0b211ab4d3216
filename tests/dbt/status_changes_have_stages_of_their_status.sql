-- A change is in a stage that its status has in the table of statuses, with or without incentives.
-- Why: funnels, stage tables and durations use the stage, while users see the status.
-- Remedy: The table was built with other reference tables than those in the warehouse. Build it again: studyflow build
-- Key: participant_id, sequence_number
-- Rules of marts.status_changes:
--   has_another_stage: stage is a stage of the status (status, stage)
with

changes as (
    select * from {{ ref('status_changes') }}
),

stages_of_statuses as (
    select
        status,
        stage_with_incentives as stage
    from {{ ref('stg_statuses') }}
    union distinct
    select
        status,
        stage_without_incentives as stage
    from {{ ref('stg_statuses') }}
),

wrong_stages as (
    select distinct
        changes.status,
        changes.stage
    from changes
    left join stages_of_statuses as right_stages
        on changes.status = right_stages.status and changes.stage = right_stages.stage
    where
        right_stages.status is null
        and changes.status in (select stages_of_statuses.status from stages_of_statuses)
)

select
    changes.participant_id,
    changes.sequence_number,
    changes.status,
    changes.stage,
    true as has_another_stage
from changes
inner join wrong_stages
    on changes.status = wrong_stages.status and changes.stage = wrong_stages.stage
