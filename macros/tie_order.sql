{#- The formula for the lowest possible number of broken links among changes of one instant, over all orders. Each
    change is a link from its prior status to its status. The best order covers all links with as few trails as
    possible. Statuses are represented by their ranks; 0 stands for none. -#}

{#- A change as a link, encoded as one number. Links sort by instant, status and prior status. Equal links are numbered
    from 1. -#}
{% macro tie_link(instant, status_rank, prior_rank, number) -%}
    (
        (cast({{ instant }} as bigint) << 40)
        + (cast({{ status_rank }} as bigint) << 28)
        + (cast({{ prior_rank }} as bigint) << 16)
        + cast({{ number }} as bigint)
    )
{%- endmacro %}
{% macro instant_of(link) -%}{{ shifted_right(link, 40) }}{%- endmacro %}
{% macro status_of(link) -%}({{ shifted_right(link, 28) }} & 4095){%- endmacro %}
{% macro prior_of(link) -%}({{ shifted_right(link, 16) }} & 4095){%- endmacro %}

{#- The lowest number of broken links from the status before to the best of the goals, which are the prior statuses of
    the changes that come next. A link from the goal back to the status before closes a ring, in which both ends are
    links. -#}
{% macro fewest_broken_links(links, rank_before, goals) -%}
    {%- set rings = list_map(
        goals, 'each_goal', 'array_append(' ~ links ~ ', ' ~ tie_link('0', rank_before, 'each_goal', '0') ~ ')'
    ) -%}
    {{ list_min(list_map(rings, 'each_ring', broken_links_of_ring('each_ring'))) }}
{%- endmacro %}

{#- The number of broken links in a ring, which is the number of trails. In each connected set of links, the number of
    trails that start at a status is how much more often links leave it than reach it, and there is at least one trail.
    If one trail covers the whole ring, no link is broken. -#}
{% macro broken_links_of_ring(ring) -%}
    {%- set priors = 'array_distinct(' ~ list_map(ring, 'each_link', prior_of('each_link')) ~ ')' -%}
    {%- set next_statuses = list_map(
        list_where(ring, 'each_link', prior_of('each_link') ~ ' = each_rank'), 'each_link', bit_of(status_of('each_link'))
    ) -%}
    {%- set stars = list_map(priors, 'each_rank', bit_of('each_rank') ~ ' | ' ~ list_bit_or(next_statuses)) -%}
    {%- set starts = list_where(priors, 'each_rank', bit_of('each_rank') ~ ' & each_part <> 0') -%}
    {%- set surpluses = list_map(starts, 'each_rank', 'greatest(0, ' ~ surplus_of('each_rank', ring) ~ ')') -%}
    {%- set trails_of_parts = list_map(
        dbt.array_construct([list_map('parts', 'each_part', list_sum(surpluses))]),
        'trails',
        'case when trails = ' ~ dbt.array_construct(['0']) ~ ' then 0 else '
        ~ list_sum(list_map('trails', 'each_part', 'greatest(each_part, 1)')) ~ ' end'
    ) -%}
    {{ list_min(list_map(joined_sets(stars), 'parts', list_min(trails_of_parts))) }}
{%- endmacro %}

{#- Merges sets that have a member in common; a list with the list of merged sets. Each set is a number with a bit for
    each member. Each round triples the distance over which members are connected, so five rounds are enough for 62
    members. -#}
{% macro joined_sets(sets) -%}
    {%- set touching = list_where('sets', 'other_set', 'other_set & each_set <> 0') -%}
    {%- set wider = 'array_distinct(' ~ list_map('sets', 'each_set', list_bit_or(touching)) ~ ')' -%}
    {%- set joined = namespace(sets=dbt.array_construct([sets])) -%}
    {%- for _ in range(5) -%}
        {%- set joined.sets = list_map(joined.sets, 'sets', wider) -%}
    {%- endfor -%}
    {{ joined.sets }}
{%- endmacro %}

{#- How many more links leave a status than reach it. -#}
{% macro surplus_of(rank, links) -%}
    (
        {{ list_size(list_where(links, 'each_link', prior_of('each_link') ~ ' = ' ~ rank)) }}
        - {{ list_size(list_where(links, 'each_link', status_of('each_link') ~ ' = ' ~ rank)) }}
    )
{%- endmacro %}

{#- The bit of a rank in a set of ranks. From the 62nd rank on, ranks share bits. Then the formula may treat sets of
    links as connected that are not. -#}
{% macro bit_of(rank) -%}(cast(1 as bigint) << cast({{ rank }} % 62 as integer)){%- endmacro %}

{#- A step of int_tie_order from an instant back to the previous one: the statuses with which the previous instant
    should end so that as few later links as possible break. -#}
{% macro goals_of_the_instant_before() %}
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
{% endmacro %}

{#- A step of int_tie_order: extends prefixes by one link. It keeps the prefixes that can still reach the lowest number
    of broken links and, among these, those whose status comes first in rank. Of prefixes with the same remaining links,
    it keeps one. -#}
{% macro longer_prefixes(prefixes_kept) %}
    {%- set breaks_fewest = 'broken + ' ~ fewest_broken_links('links_left', 'next_rank', 'goals') ~ ' = fewest_broken' %}
    with

    prefixes_with_bounds as (
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
        {{ each_element('prefixes_with_bounds', 'links_left', 'link') }}
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

    -- The formula is the slowest part, so other statuses are tried only if the first in rank is not among the best.
    checked_first as (
        select
            *,
            case
                when next_rank = min(next_rank) over (partition by kind)
                    then {{ breaks_fewest }}
            end as is_best
        from longer
    ),

    checked as (
        select
            *,
            case
                when max(is_best) over (partition by kind) then is_best
                else coalesce(is_best, {{ breaks_fewest }})
            end as is_kept
        from checked_first
    ),

    kept as (
        select
            *,
            {{ list_size('links_left') }} = 0 as is_placed
        from checked
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
{% endmacro %}
