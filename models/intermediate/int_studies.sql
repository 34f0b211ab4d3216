with

changes as (
    select * from {{ ref('int_linked_changes') }}
),

described as (
    select * from {{ ref('stg_studies') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

statuses_seen as (
    select
        study_id,
        status
    from changes
    union
    select
        study_id,
        prior_status
    from changes
    where has_inferred
),

activities as (
    select
        statuses_seen.study_id,
        min(statuses.activity) as first_activity,
        max(statuses.activity) as last_activity
    from statuses_seen
    inner join statuses
        on statuses_seen.status = statuses.status
    group by statuses_seen.study_id
)

select
    activities.study_id,
    described.study_name,
    coalesce(
        described.study_type,
        case when activities.first_activity < activities.last_activity then 'mixed' else activities.first_activity end,
        'unknown'
    ) as study_type,
    coalesce(described.incentives_enabled, true) as incentives_enabled,
    described.incentive_cents,
    described.participation_limit,
    described.closed_on,
    described.study_id is not null as is_described
from activities
left join described
    on activities.study_id = described.study_id
