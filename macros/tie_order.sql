{#- How many links must break among changes of one instant, whichever order they take. Each change is a link from its
    prior status to its status, and the order that breaks fewest walks all links in the fewest trails. Statuses are
    their ranks; 0 stands for none. -#}

{#- A change as a link, in one number. Links sort by instant, status and prior status; alike ones are numbered from 1. -#}
{% macro tie_link(instant, status_rank, prior_rank, number) -%}
    (
        (cast({{ instant }} as bigint) << 40)
        + (cast({{ status_rank }} as bigint) << 28)
        + (cast({{ prior_rank }} as bigint) << 16)
        + cast({{ number }} as bigint)
    )
{%- endmacro %}
{% macro instant_of(link) -%}({{ link }} >> 40){%- endmacro %}
{% macro status_of(link) -%}(({{ link }} >> 28) & 4095){%- endmacro %}
{% macro prior_of(link) -%}(({{ link }} >> 16) & 4095){%- endmacro %}

{#- The fewest that break from the status before to the goal that suits best; goals are the prior statuses of what
    comes next. A link from the goal back to the status before makes a ring, in which the two ends are like all links. -#}
{% macro fewest_broken_links(links, rank_before, goals) -%}
    {%- set rings = list_map(
        goals, 'each_goal', 'array_append(' ~ links ~ ', ' ~ tie_link('0', rank_before, 'each_goal', '0') ~ ')'
    ) -%}
    {{ list_min(list_map(rings, 'each_ring', broken_links_of_ring('each_ring'))) }}
{%- endmacro %}

{#- In a ring as many break as there are trails. Of links that hang together, as many trails start at a status as it is
    left more often than reached, but at least one somewhere. A trail that is the whole ring closes without a break. -#}
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

{#- Sets joined where they have a member in common: a list with a list of sets. Each is written as the bits of a number.
    A set reaches three times as far each time, and across 62 members in five. -#}
{% macro joined_sets(sets) -%}
    {%- set touching = list_where('sets', 'other_set', 'other_set & each_set <> 0') -%}
    {%- set wider = 'array_distinct(' ~ list_map('sets', 'each_set', list_bit_or(touching)) ~ ')' -%}
    {%- set joined = namespace(sets=dbt.array_construct([sets])) -%}
    {%- for _ in range(5) -%}
        {%- set joined.sets = list_map(joined.sets, 'sets', wider) -%}
    {%- endfor -%}
    {{ joined.sets }}
{%- endmacro %}

{#- How much more often links leave a status than reach it. -#}
{% macro surplus_of(rank, links) -%}
    (
        {{ list_size(list_where(links, 'each_link', prior_of('each_link') ~ ' = ' ~ rank)) }}
        - {{ list_size(list_where(links, 'each_link', status_of('each_link') ~ ' = ' ~ rank)) }}
    )
{%- endmacro %}

{#- A number with one bit set, to write a set of ranks as a number. From the 62nd rank on bits are shared; the formula
    may then take parts for joined that are not. -#}
{% macro bit_of(rank) -%}(cast(1 as bigint) << cast({{ rank }} % 62 as integer)){%- endmacro %}
