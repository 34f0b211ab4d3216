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

identities as (
    select * from {{ ref('stg_identities') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
)

select
    identities.participant_id,
    identities.person_id,
    identities.study_id,
    changes.sequence_number,

    statuses_before.status as status_before,
    prior_statuses.status as prior_status,
    statuses.status,

    changes.occurred_before as lost_after,
    changes.occurred_at as lost_before
from changes
inner join identities
    on
        changes.participant_key = identities.participant_key
        and changes.person_key = identities.person_key
        and changes.study_key = identities.study_key
inner join statuses
    on changes.status_rank = statuses.status_rank
left join statuses as statuses_before
    on changes.rank_before = statuses_before.status_rank
left join statuses as prior_statuses
    on changes.prior_rank = prior_statuses.status_rank
