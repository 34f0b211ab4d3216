with

changes as (
    select distinct
        study_key,
        status_rank
    from {{ ref('int_status_changes') }}
),

identities as (
    select distinct
        study_key,
        study_id
    from {{ ref('stg_identities') }}
),

described as (
    select * from {{ ref('stg_studies') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

activities as (
    select
        changes.study_key,
        min(statuses.activity) as first_activity,
        max(statuses.activity) as last_activity
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
    group by changes.study_key
)

select
    activities.study_key,
    identities.study_id,
    described.study_name,
    coalesce(
        described.study_type,
        case when activities.first_activity < activities.last_activity then 'mixed' else activities.first_activity end,
        'unknown'
    ) as study_type,
    coalesce(described.incentives_enabled, true) as incentives_enabled,
    described.incentive_cents,
    described.currency,
    described.participation_limit,
    described.target,
    least(
        coalesce(described.target, described.participation_limit),
        coalesce(described.participation_limit, described.target)
    ) as aim,
    described.target_on,
    described.closed_on,
    coalesce(described.closed_on <= {{ report_date(as_of()) }}, false) as is_closed,
    described.study_id is not null as is_described
from activities
inner join identities
    on activities.study_key = identities.study_key
left join described
    on identities.study_id = described.study_id
