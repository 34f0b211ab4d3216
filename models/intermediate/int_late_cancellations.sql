{{ config(materialized='incremental') }}

with

changes as (
    select * from {{ touched_rows_of(ref('int_linked_changes'), ref('int_touched_participants')) }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
)

select
    changes.participant_id,
    changes.person_id,
    changes.study_id,
    cast(changes.sequence_number as integer) as sequence_number,
    changes.occurred_before as booked_at,
    changes.occurred_at as cancelled_at
from changes
inner join statuses
    on changes.status = statuses.status
inner join statuses as statuses_before
    on changes.status_before = statuses_before.status
where
    statuses.dashboard_series = 'interviews_cancelled'
    and statuses_before.dashboard_series = 'interviews_scheduled'
    and not changes.follows_gap
    and {{ hours_between('changes.occurred_before', 'changes.occurred_at') }} >= {{ var('late_cancellation_hours') }}
