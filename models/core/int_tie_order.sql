{%- set prefixes_kept = 32 %}

with

tied_changes as (
    select
        *,
        {{ tie_link('instant', 'status_rank', 'prior_rank', 'number') }} as link
    from {{ ref('int_tied_changes') }}
),

tie_groups as (
    select
        participant_key,
        tie_group,
        rank_before,
        prior_rank_after,
        max(instant) as last_instant,
        {{ sorted_list('link') }} as links
    from tied_changes
    group by participant_key, tie_group, rank_before, prior_rank_after
),

-- Many tie groups look alike, so each kind is ordered only once.
kinds as (
    select distinct
        rank_before,
        prior_rank_after,
        last_instant,
        links
    from tie_groups
),

orders as (
    {{ tie_orders('kinds', prefixes_kept) }}
)

select
    tied_changes.participant_key,
    tied_changes.occurred_at,
    tied_changes.status_rank,
    tied_changes.prior_rank,
    tied_changes.person_key,
    tied_changes.study_key,
    cast(array_position(orders.path, tied_changes.link) as bigint) as tie_position
from tied_changes
inner join tie_groups
    on
        tied_changes.participant_key = tie_groups.participant_key
        and tied_changes.tie_group = tie_groups.tie_group
inner join orders
    on
        tie_groups.rank_before = orders.rank_before
        and tie_groups.prior_rank_after = orders.prior_rank_after
        and tie_groups.links = orders.links
