with

ageing as (
    select * from {{ ref('ageing_participants') }}
    where is_actionable
),

described_studies as (
    select * from {{ ref('stg_studies') }}
)

select
    cast(rank() over (order by ageing.hours_in_stage) as integer) as place,
    described_studies.study_name,
    ageing.study_id,
    ageing.participant_id,
    ageing.person_id,

    cast(floor(ageing.hours_in_stage / 24) as integer) as days_waiting,
    ageing.action,

    ageing.current_stage,
    ageing.current_status_label,
    ageing.stage_since
from ageing
left join described_studies
    on ageing.study_id = described_studies.study_id
