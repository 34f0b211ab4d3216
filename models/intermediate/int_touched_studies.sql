with

touched_participants as (
    select * from {{ ref('int_touched_participants') }}
),

linked_changes as (
    select * from {{ of_touched_participants(ref('int_linked_changes')) }}
    {{ 'where 1 = 0' if not builds_on_the_last() }}
),

touched as (
    select study_id from touched_participants
    union
    select study_id from linked_changes
)

select study_id from touched
where study_id is not null
