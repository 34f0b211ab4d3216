with

study_steps as (
    select * from {{ ref('int_study_steps') }}
),

stops as (
    select * from {{ ref('int_study_stops') }}
),

funnel as (
    select * from {{ ref('study_funnel') }}
)

select
    study_steps.study_id,
    study_steps.step,
    study_steps.step_order,
    stops.current_status as status,
    stops.current_status_label as status_label,

    cast(stops.participants as integer) as participants,
    {{ ratio('stops.participants', '(funnel.dropped_active + funnel.dropped_lost)') }} as share_of_drop,
    stops.is_terminal as is_lost
from study_steps
inner join stops
    on
        study_steps.study_id = stops.study_id
        and study_steps.previous_step_order = stops.furthest_step_order
inner join funnel
    on
        study_steps.study_id = funnel.study_id
        and study_steps.step_order = funnel.step_order
