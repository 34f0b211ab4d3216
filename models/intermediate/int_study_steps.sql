with

participant_steps as (
    select * from {{ ref('int_participant_steps') }}
),

steps as (
    select * from {{ ref('funnel_steps') }}
),

observed as (
    select
        study_id,
        step_order,
        count(*) as observed
    from participant_steps
    group by study_id, step_order
)

select
    observed.study_id,
    steps.step,
    observed.step_order,
    observed.observed,
    lag(observed.step_order) over (partition by observed.study_id order by observed.step_order) as previous_step_order
from observed
inner join steps
    on observed.step_order = steps.step_order
