{#- Ties are put in order link by link (macros/tie_order.sql). A prefix of an order goes on if it can still become one
    that breaks the fewest links, and if no other prefix has statuses that come first in the reference table. -#}
{%- set prefixes_kept = 32 %}

with recursive

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

-- Many tie groups are alike, so each kind is put in order once.
kinds as (
    select
        rank_before,
        prior_rank_after,
        last_instant,
        links,
        row_number() over (order by rank_before, prior_rank_after, links) as kind
    from tie_groups
    group by rank_before, prior_rank_after, last_instant, links
),

kind_links as (
    {{ each_element('kinds', 'links', 'link') }}
),

instants as (
    select
        kind,
        {{ instant_of('link') }} as instant,
        {{ sorted_list('link') }} as links_then
    from kind_links
    group by kind, {{ instant_of('link') }}
),

-- From the last instant back: the statuses with which an instant should end for the sake of what follows.
goals_by_instant as (
    select
        kind,
        last_instant as instant,
        {{ dbt.array_construct(['prior_rank_after']) }} as goals
    from kinds

    union all

    {{ goals_of_the_instant_before() }}
),

prefixes as (
    select
        kinds.kind,
        instants.instant,
        instants.links_then as links_left,
        kinds.rank_before as last_rank,
        {{ list_where('instants.links_then', 'each_link', 'false') }} as path
    from kinds
    inner join instants
        on
            kinds.kind = instants.kind
            and instants.instant = 1

    union all

    ({{ longer_prefixes(prefixes_kept) }})
),

orders as (
    select
        kinds.rank_before,
        kinds.prior_rank_after,
        kinds.links,
        prefixes.path
    from prefixes
    inner join kinds
        on prefixes.kind = kinds.kind
    where prefixes.links_left is null
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
