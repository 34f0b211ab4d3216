{#- Ties are put in order link by link. A prefix of an order goes on if it can still become one that breaks the fewest
    links, which fewest_broken_links tells, and if no other prefix has statuses that come first in the reference table.
    Of those that leave the same links to be placed, one is enough. -#}
{%- set prefixes_kept = 32 %}
{%- set breaks_fewest = 'broken + ' ~ fewest_broken_links('links_left', 'next_rank', 'goals') ~ ' = fewest_broken' %}

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

    select
        kind,
        instant,
        {{ list_where(
            'ends', 'each_end', fewest_broken_links('next_links', 'each_end', 'next_goals') ~ ' = fewest_broken'
        ) }} as goals
    from (
        select
            *,
            {{ list_min(list_map(
                'ends', 'each_end', fewest_broken_links('next_links', 'each_end', 'next_goals')
            )) }} as fewest_broken
        from (
            select
                instants.kind,
                instants.instant,
                array_distinct({{ list_map('instants.links_then', 'each_link', status_of('each_link')) }}) as ends,
                next_instants.links_then as next_links,
                goals_by_instant.goals as next_goals
            from goals_by_instant
            inner join instants as next_instants
                on
                    goals_by_instant.kind = next_instants.kind
                    and goals_by_instant.instant = next_instants.instant
            inner join instants
                on
                    goals_by_instant.kind = instants.kind
                    and goals_by_instant.instant = instants.instant + 1
        ) as before_the_next
    ) as judged
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

    (
        with

        weighed as (
            select
                prefixes.*,
                goals_by_instant.goals,
                {{ fewest_broken_links('prefixes.links_left', 'prefixes.last_rank', 'goals_by_instant.goals') }}
                    as fewest_broken,
                {{ list_where(
                    'array_distinct(' ~ list_map('prefixes.links_left', 'each_link', prior_of('each_link')) ~ ')',
                    'each_rank',
                    surplus_of('each_rank', 'prefixes.links_left') ~ ' >= 0'
                    ~ ' or array_contains(goals_by_instant.goals, each_rank)'
                ) }} as starts
            from prefixes
            inner join goals_by_instant
                on
                    prefixes.kind = goals_by_instant.kind
                    and prefixes.instant = goals_by_instant.instant
        ),

        next_links as (
            {{ each_element('weighed', 'links_left', 'link') }}
        ),

        longer as (
            select
                kind,
                instant,
                goals,
                fewest_broken,
                {{ list_where('links_left', 'each_link', 'each_link <> link') }} as links_left,
                {{ status_of('link') }} as next_rank,
                cast({{ prior_of('link') }} <> last_rank as bigint) as broken,
                array_append(path, link) as path
            from next_links
            where
                not array_contains(links_left, link - 1)
                and ({{ prior_of('link') }} = last_rank or array_contains(starts, {{ prior_of('link') }}))
        ),

        -- The formula costs most, so all other statuses are tried only where the first in rank will not do.
        tried_first as (
            select
                *,
                case
                    when next_rank = min(next_rank) over (partition by kind)
                        then {{ breaks_fewest }}
                end as is_best
            from longer
        ),

        tried as (
            select
                *,
                case
                    when max(is_best) over (partition by kind) then is_best
                    else coalesce(is_best, {{ breaks_fewest }})
                end as is_kept
            from tried_first
        ),

        kept as (
            select
                *,
                {{ list_size('links_left') }} = 0 as is_placed
            from tried
            where is_kept
            qualify
                rank() over (partition by kind order by next_rank) = 1
                and row_number() over (partition by kind, links_left order by next_rank, path) = 1
                and row_number() over (partition by kind order by next_rank, path) <= {{ prefixes_kept }}
        )

        select
            kept.kind,
            coalesce(next_instants.instant, kept.instant) as instant,
            case when kept.is_placed then next_instants.links_then else kept.links_left end as links_left,
            kept.next_rank as last_rank,
            kept.path
        from kept
        left join instants as next_instants
            on
                kept.kind = next_instants.kind
                and kept.instant + 1 = next_instants.instant
                and kept.is_placed
    )
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
