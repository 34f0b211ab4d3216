with

participants as (
    select * from {{ ref('participants') }}
),

steps as (
    select * from {{ ref('funnel_steps') }}
)

select
    participants.study_id,
    steps.step_order as furthest_step_order,
    participants.current_status,
    participants.current_status_label,
    participants.is_terminal,
    count(*) as participants
from participants
inner join steps
    on participants.furthest_step = steps.step
group by
    participants.study_id,
    steps.step_order,
    participants.current_status,
    participants.current_status_label,
    participants.is_terminal
