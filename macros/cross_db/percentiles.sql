{#- A percentile of the values of a group, interpolated linearly; null if there are none. Spark's own functions differ
    in the last digit, because they interpolate in another way. DuckDB multiplies and adds in one step with one
    rounding, and so does Java's fma. -#}
{% macro percentile(value, share) -%}{{ return(adapter.dispatch('percentile')(value, share)) }}{%- endmacro %}
{% macro duckdb__percentile(value, share) -%}quantile_cont({{ value }}, {{ share }}){%- endmacro %}
{% macro spark__percentile(value, share) -%}
    {%- set above = '(place - floor(place))' -%}
    {{ given('sorted_values', 'sort_array(collect_list(' ~ value ~ '))', given(
        'place', '(size(sorted_values) - 1) * ' ~ share ~ 'e0',
        "case when place >= 0 then cast(reflect('java.lang.Math', 'fma', sorted_values[cast(floor(place) as integer)], "
        ~ '1e0 - ' ~ above ~ ', sorted_values[cast(ceil(place) as integer)] * ' ~ above ~ ') as double) end'
    )) }}
{%- endmacro %}
