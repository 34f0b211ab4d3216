{#- A query that orders each kind of tie group, link by link (macros/tie_order.sql has the formula). A prefix of an
    order is kept if it can still reach the lowest number of broken links and no other prefix has statuses that come
    earlier in the reference table. `kinds`: rank_before, prior_rank_after, last_instant, links. The result has one row
    per kind, with `path`. DuckDB extends all prefixes in one step of a recursive query. Spark allows no window
    functions there, so it folds lists. -#}
{% macro tie_orders(kinds, prefixes_kept) -%}
    {{ return(adapter.dispatch('tie_orders')(kinds, prefixes_kept)) }}
{%- endmacro %}

{% macro duckdb__tie_orders(kinds, prefixes_kept) -%}
    with recursive

    numbered_kinds as (
        select
            *,
            row_number() over (order by rank_before, prior_rank_after, links) as kind
        from {{ kinds }}
    ),

    kind_links as (
        {{ each_element('numbered_kinds', 'links', 'link') }}
    ),

    instants as (
        select
            kind,
            {{ instant_of('link') }} as instant,
            {{ sorted_list('link') }} as links_then
        from kind_links
        group by kind, {{ instant_of('link') }}
    ),

    -- The statuses with which each instant should end so that few later links break, from the last instant backwards.
    goals_by_instant as (
        select
            kind,
            last_instant as instant,
            {{ dbt.array_construct(['prior_rank_after']) }} as goals
        from numbered_kinds

        union all

        {{ goals_of_the_instant_before() }}
    ),

    prefixes as (
        select
            numbered_kinds.kind,
            instants.instant,
            instants.links_then as links_left,
            numbered_kinds.rank_before as last_rank,
            {{ list_where('instants.links_then', 'each_link', 'false') }} as path
        from numbered_kinds
        inner join instants
            on
                numbered_kinds.kind = instants.kind
                and instants.instant = 1

        union all

        ({{ longer_prefixes(prefixes_kept) }})
    )

    select
        numbered_kinds.rank_before,
        numbered_kinds.prior_rank_after,
        numbered_kinds.links,
        prefixes.path
    from prefixes
    inner join numbered_kinds
        on prefixes.kind = numbered_kinds.kind
    where prefixes.links_left is null
{%- endmacro %}

{% macro spark__tie_orders(kinds, prefixes_kept) -%}
    select
        rank_before,
        prior_rank_after,
        links,
        {{ given('instants', links_by_instant(), given('goals', goals_by_instant(), whole_path(prefixes_kept))) }} as path
    from {{ kinds }}
{%- endmacro %}

{#- The links of each instant. -#}
{% macro links_by_instant() -%}
    transform(
        sequence(1, cast(last_instant as integer)),
        each_instant -> filter(links, each_link -> {{ instant_of('each_link') }} = each_instant)
    )
{%- endmacro %}

{#- The statuses with which each instant should end so that few later links break, from the last instant backwards. -#}
{% macro goals_by_instant() -%}
    {%- set next_links = 'element_at(instants, size(instants) - each_number + 2)' -%}
    {%- set links_then = 'element_at(instants, size(instants) - each_number + 1)' -%}
    {%- set ends = 'array_distinct(' ~ list_map(links_then, 'each_link', status_of('each_link')) ~ ')' -%}
    {%- set judged = list_map(
        ends, 'each_end',
        "named_struct('end', each_end, 'broken', " ~ fewest_broken_links(next_links, 'each_end', 'later_goals[0]') ~ ')'
    ) -%}
    {%- set fewest = list_min(list_map('judged', 'each_judged', 'each_judged.broken')) -%}
    aggregate(
        slice(sequence(1, size(instants)), 2, size(instants)),
        array(array(cast(prior_rank_after as bigint))),
        (later_goals, each_number) -> concat(
            array({{ given('judged', judged, given(
                'fewest', fewest, 'transform(filter(judged, each_judged -> each_judged.broken = fewest), each_judged -> each_judged.end)'
            )) }}),
            later_goals
        )
    )
{%- endmacro %}

{#- The links in order, one instant after another. At the end of each instant, one prefix is left. -#}
{% macro whole_path(prefixes_kept) -%}
    {%- set nothing_placed -%}
        named_struct(
            'last_rank', placed.last_rank,
            'prefixes', array(named_struct(
                'path', placed.path, 'links_left', links_then,
                'fewest', {{ fewest_broken_links('links_then', 'placed.last_rank', 'goals_then') }}
            ))
        )
    {%- endset -%}
    {%- set all_placed -%}
        aggregate(sequence(1, size(links_then)), {{ nothing_placed }}, (state, each_step) -> {{ longer_path(prefixes_kept) }})
    {%- endset -%}
    aggregate(
        sequence(1, size(instants)),
        named_struct('last_rank', cast(rank_before as bigint), 'path', cast(array() as array<bigint>)),
        (placed, each_number) -> {{ given('links_then', 'element_at(instants, each_number)', given(
            'goals_then', 'element_at(goals, each_number)', given(
                'state', all_placed, "named_struct('last_rank', state.last_rank, 'path', state.prefixes[0].path)"
            )
        )) }}
    ).path
{%- endmacro %}

{#- Extends prefixes by one link: of those that can still reach the lowest number of broken links, it keeps those whose
    status comes first. Each has the number of links that must break among the remaining ones. Of prefixes with the same
    remaining links, it keeps one. -#}
{% macro longer_path(prefixes_kept) -%}
    {%- set starts = list_where(
        'array_distinct(' ~ list_map('each_prefix.links_left', 'each_link', prior_of('each_link')) ~ ')',
        'each_rank',
        surplus_of('each_rank', 'each_prefix.links_left') ~ ' >= 0 or array_contains(goals_then, each_rank)'
    ) -%}
    {%- set longer -%}
        transform(
            filter(
                each_prefix.links_left,
                next_link -> not array_contains(each_prefix.links_left, next_link - 1)
                and ({{ prior_of('next_link') }} = state.last_rank or array_contains(starts, {{ prior_of('next_link') }}))
            ),
            next_link -> named_struct(
                'rank', {{ status_of('next_link') }},
                'path', array_append(each_prefix.path, next_link),
                'links_left', array_remove(each_prefix.links_left, next_link),
                'fewest', each_prefix.fewest - case when {{ prior_of('next_link') }} = state.last_rank then 0 else 1 end
            )
        )
    {%- endset -%}
    {%- set ranks = 'array_sort(array_distinct(' ~ list_map('longer', 'each_longer', 'each_longer.rank') ~ '))' -%}
    {%- set kept -%}
        aggregate(
            {{ ranks }}, slice(longer, 1, 0),
            (kept, next_rank) -> case
                when size(kept) > 0 then kept
                else filter(
                    longer,
                    each_longer -> each_longer.rank = next_rank
                    and {{ fewest_broken_links('each_longer.links_left', 'next_rank', 'goals_then') }} = each_longer.fewest
                )
            end
        )
    {%- endset -%}
    {%- set first_kept -%}
        slice(sort_array({{ list_map(
            'kept', 'each_kept', "named_struct('path', each_kept.path, 'links_left', each_kept.links_left, 'fewest', each_kept.fewest)"
        ) }}), 1, {{ prefixes_kept }})
    {%- endset -%}
    {%- set next_state -%}
        named_struct(
            'last_rank', kept[0].rank,
            'prefixes', filter(
                first_kept,
                (each_kept, each_place) -> array_position(first_kept.links_left, each_kept.links_left) = each_place + 1
            )
        )
    {%- endset -%}
    {{ given(
        'longer', 'flatten(transform(state.prefixes, each_prefix -> ' ~ given('starts', starts, longer) ~ '))',
        given('kept', kept, given('first_kept', first_kept, next_state))
    ) }}
{%- endmacro %}
