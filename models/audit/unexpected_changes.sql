with

changes as (
    select
        participant_id,
        person_id,
        study_id,
        sequence_number,
        prior_status,
        status,
        occurred_at,
        {{ whole_second('occurred_at') }} as occurred_in_second
    from {{ ref('status_changes') }}
    where not is_inferred
),

edits as (
    select
        study_id,
        prior_status,
        status,
        {{ whole_second('occurred_at') }} as occurred_in_second
    from {{ ref('status_changes') }}
    where not is_inferred and prior_status is not null
),

transitions as (
    select * from {{ ref('transitions') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

-- People are added, and emails sent, to many at once without an edit.
bulk_edits as (
    select
        edits.study_id,
        edits.prior_status,
        edits.status,
        edits.occurred_in_second,
        count(*) as changes
    from edits
    inner join statuses
        on edits.status = statuses.status
    where not statuses.is_contact
    group by edits.study_id, edits.prior_status, edits.status, edits.occurred_in_second
    having count(*) >= {{ var('bulk_edit_min') }}
)

select
    changes.participant_id,
    changes.person_id,
    changes.study_id,
    changes.sequence_number,

    changes.prior_status,
    changes.status,
    changes.occurred_at,

    case when transitions.is_expected then 'bulk_edit' else 'unexpected_move' end as reason,
    bulk_edits.changes is not null as is_bulk,
    cast(bulk_edits.changes as integer) as bulk_size
from changes
inner join transitions
    on
        changes.study_id = transitions.study_id
        and changes.prior_status is not distinct from transitions.from_status
        and changes.status = transitions.to_status
left join bulk_edits
    on
        changes.study_id = bulk_edits.study_id
        and changes.prior_status = bulk_edits.prior_status
        and changes.status = bulk_edits.status
        and changes.occurred_in_second = bulk_edits.occurred_in_second
where not transitions.is_expected or bulk_edits.changes is not null
