with

unexpected as (
    select * from {{ ref('int_unexpected_changes') }}
),

participants as (
    select
        participant_key,
        participant_id,
        person_id,
        study_id
    from {{ ref('int_participants') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
)

select
    participants.participant_id,
    participants.person_id,
    participants.study_id,
    unexpected.sequence_number,

    prior_statuses.status as prior_status,
    statuses.status,
    unexpected.occurred_at,

    case when unexpected.is_expected then 'bulk_edit' else 'unexpected_move' end as reason,
    unexpected.bulk_size is not null as is_bulk,
    cast(unexpected.bulk_size as integer) as bulk_size
from unexpected
inner join participants
    on unexpected.participant_key = participants.participant_key
inner join statuses
    on unexpected.status_rank = statuses.status_rank
left join statuses as prior_statuses
    on unexpected.prior_rank = prior_statuses.status_rank
