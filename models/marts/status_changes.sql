{{ config(materialized='incremental') }}

with

statuses as (
    select * from {{ ref('stg_statuses') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

delivered as (
    select
        participant_id,
        person_id,
        study_id,
        sequence_number,
        prior_status,
        status,
        occurred_at,
        ended_at,
        ended_at is null as is_current,
        false as is_inferred,
        follows_gap,
        deliveries
    from {{ touched_rows_of(ref('int_linked_changes'), ref('int_touched_participants')) }}
),

inferred as (
    select
        participant_id,
        person_id,
        study_id,
        sequence_number - 1 as sequence_number,
        cast(null as {{ dbt.type_string() }}) as prior_status,
        prior_status as status,
        occurred_at,
        occurred_at as ended_at,
        false as is_current,
        true as is_inferred,
        false as follows_gap,
        0 as deliveries
    from {{ touched_rows_of(ref('int_linked_changes'), ref('int_touched_participants')) }}
    where has_inferred
),

all_changes as (
    select * from delivered
    union all
    select * from inferred
)

select
    all_changes.participant_id,
    all_changes.person_id,
    all_changes.study_id,
    cast(all_changes.sequence_number as integer) as sequence_number,

    all_changes.prior_status,
    all_changes.status,
    case
        when studies.incentives_enabled then statuses.stage_with_incentives
        else statuses.stage_without_incentives
    end as stage,

    all_changes.occurred_at,
    all_changes.ended_at,
    all_changes.is_current,
    all_changes.is_inferred,
    all_changes.follows_gap,
    cast(all_changes.deliveries as integer) as deliveries
from all_changes
inner join statuses
    on all_changes.status = statuses.status
inner join studies
    on all_changes.study_id = studies.study_id
