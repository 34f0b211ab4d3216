with

studies_file as (
    select * from {{ source('raw', 'studies_file') }}
)

select
    study_id,
    study_name,
    study_type,
    incentives_enabled,
    incentive_type,
    incentive_cents,
    currency,
    participation_limit,
    target,
    target_on,
    closed_on
from studies_file
