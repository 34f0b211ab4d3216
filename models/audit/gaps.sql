with

changes as (
    select
        participant_key,
        person_key,
        study_key,
        sequence_number,
        rank_before,
        prior_rank,
        status_rank,
        occurred_before,
        occurred_at
    from {{ ref('int_status_changes') }}
    where follows_gap
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
    changes.sequence_number,

    statuses_before.status as status_before,
    prior_statuses.status as prior_status,
    statuses.status,

    changes.occurred_before as lost_after,
    changes.occurred_at as lost_before
from changes
inner join participants
    on changes.participant_key = participants.participant_key
inner join statuses
    on changes.status_rank = statuses.status_rank
left join statuses as statuses_before
    on changes.rank_before = statuses_before.status_rank
left join statuses as prior_statuses
    on changes.prior_rank = prior_statuses.status_rank
