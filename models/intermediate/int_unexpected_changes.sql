with

changes as (
    select
        participant_key,
        person_key,
        study_key,
        sequence_number,
        prior_rank,
        status_rank,
        occurred_at,
        {{ whole_second('occurred_at') }} as occurred_in_second
    from {{ ref('int_status_changes') }}
    where not is_inferred
),

studies as (
    select * from {{ ref('int_studies') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

expected_moves as (
    select * from {{ ref('int_expected_moves') }}
),

-- Adding many people or emailing many at once is routine, so such changes are never a bulk edit.
bulk_edits as (
    select
        changes.study_key,
        changes.prior_rank,
        changes.status_rank,
        changes.occurred_in_second,
        count(*) as changes
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    where changes.prior_rank <> 0 and not statuses.is_contact
    group by changes.study_key, changes.prior_rank, changes.status_rank, changes.occurred_in_second
    having count(*) >= {{ var('bulk_edit_min') }}
)

select
    changes.participant_key,
    changes.person_key,
    changes.study_key,
    changes.sequence_number,
    changes.prior_rank,
    changes.status_rank,
    changes.occurred_at,
    expected_moves.study_type is not null as is_expected,
    bulk_edits.changes as bulk_size
from changes
inner join studies
    on changes.study_key = studies.study_key
left join expected_moves
    on
        studies.study_type = expected_moves.study_type
        and changes.prior_rank = expected_moves.prior_rank
        and changes.status_rank = expected_moves.status_rank
left join bulk_edits
    on
        changes.study_key = bulk_edits.study_key
        and changes.prior_rank = bulk_edits.prior_rank
        and changes.status_rank = bulk_edits.status_rank
        and changes.occurred_in_second = bulk_edits.occurred_in_second
where expected_moves.study_type is null or bulk_edits.changes is not null
