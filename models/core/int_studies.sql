with

observed_statuses as (
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

described_studies as (
    select * from {{ ref('stg_studies') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

activities as (
    select
        observed_statuses.study_key,
        min(statuses.activity) as first_activity,
        max(statuses.activity) as last_activity
    from observed_statuses
    inner join statuses
        on observed_statuses.status_rank = statuses.status_rank
    group by observed_statuses.study_key
)

select
    activities.study_key,
    identities.study_id,
    described_studies.study_name,
    coalesce(
        described_studies.study_type,
        case when activities.first_activity < activities.last_activity then 'mixed' else activities.first_activity end,
        'unknown'
    ) as study_type,
    coalesce(described_studies.incentives_enabled, true) as incentives_enabled,
    described_studies.incentive_cents,
    described_studies.currency,
    described_studies.participation_limit,
    described_studies.target,
    -- The study is full at its target or its limit, whichever is lower.
    least(
        coalesce(described_studies.target, described_studies.participation_limit),
        coalesce(described_studies.participation_limit, described_studies.target)
    ) as aim,
    described_studies.target_on,
    described_studies.closed_on,
    coalesce(described_studies.closed_on <= {{ report_date(as_of()) }}, false) as is_closed,
    described_studies.study_id is not null as is_described
from activities
inner join identities
    on activities.study_key = identities.study_key
left join described_studies
    on identities.study_id = described_studies.study_id
