{#- A percentile of the values of a group, interpolated linearly; null if there are none. A query with several
    percentiles of the same values names all their shares each time, so that DuckDB sorts the values once. Spark's own
    functions differ in the last digit, because they interpolate in another way. DuckDB multiplies and adds in one step
    with one rounding, and so does Java's fma. -#}
{% macro percentile(value, share, all_shares=none) -%}
    {{ return(adapter.dispatch('percentile')(value, share, all_shares or [share])) }}
{%- endmacro %}
{% macro duckdb__percentile(value, share, all_shares) -%}
    quantile_cont({{ value }}, {{ all_shares }})[{{ all_shares.index(share) + 1 }}]
{%- endmacro %}
{% macro spark__percentile(value, share, all_shares) -%}
    {%- set above = '(place - floor(place))' -%}
    {{ given('sorted_values', 'sort_array(collect_list(' ~ value ~ '))', given(
        'place', '(size(sorted_values) - 1) * ' ~ share ~ 'e0',
        "case when place >= 0 then cast(reflect('java.lang.Math', 'fma', sorted_values[cast(floor(place) as integer)], "
        ~ '1e0 - ' ~ above ~ ', sorted_values[cast(ceil(place) as integer)] * ' ~ above ~ ') as double) end'
    )) }}
{%- endmacro %}
