with

changes as (
    select * from {{ ref('stg_changes') }}
    where occurred_at <= {{ as_of() }}
),

participants as (
    select * from {{ ref('int_participants') }}
),

identities as (
    select * from {{ ref('stg_identities') }}
),

with_several_identities as (
    select participant_key
    from identities
    group by participant_key
    having count(*) > 1
),

conflicts as (
    select
        changes.participant_key,
        count(distinct changes.person_key) as persons_stated,
        count(distinct changes.study_key) as studies_stated,
        sum(
            case
                when changes.person_key <> participants.person_key or changes.study_key <> participants.study_key then 1
                else 0
            end
        ) as conflicting_changes
    from changes
    inner join with_several_identities
        on changes.participant_key = with_several_identities.participant_key
    inner join participants
        on changes.participant_key = participants.participant_key
    group by changes.participant_key
)

select
    participants.participant_id,
    participants.person_id,
    participants.study_id,
    cast(conflicts.persons_stated as integer) as persons_stated,
    cast(conflicts.studies_stated as integer) as studies_stated,
    cast(conflicts.conflicting_changes as integer) as conflicting_changes
from conflicts
inner join participants
    on conflicts.participant_key = participants.participant_key
where conflicts.conflicting_changes > 0
