{#- Lists. The name for an element must not be a column of the query, because DuckDB would use the column. -#}

{#- All values of a group, smallest first. -#}
{% macro sorted_list(value) -%}{{ return(adapter.dispatch('sorted_list')(value)) }}{%- endmacro %}
{% macro spark__sorted_list(value) -%}sort_array(collect_list({{ value }})){%- endmacro %}
{% macro duckdb__sorted_list(value) -%}list_sort(list({{ value }})){%- endmacro %}

{#- The distinct texts of a group, sorted and joined by commas; null if there are none. -#}
{% macro joined_texts(value) -%}{{ return(adapter.dispatch('joined_texts')(value)) }}{%- endmacro %}
{% macro spark__joined_texts(value) -%}nullif(array_join(sort_array(collect_set({{ value }})), ', '), ''){%- endmacro %}
{% macro duckdb__joined_texts(value) -%}array_to_string(list_sort(list(distinct {{ value }}) filter (where {{ value }} is not null)), ', '){%- endmacro %}

{#- The relation with a row for each element of a list column, in a column `element`. -#}
{% macro each_element(relation, list, element) -%}{{ return(adapter.dispatch('each_element')(relation, list, element)) }}{%- endmacro %}
{% macro spark__each_element(relation, list, element) -%}select *, explode({{ list }}) as {{ element }} from {{ relation }}{%- endmacro %}
{% macro duckdb__each_element(relation, list, element) -%}select *, unnest({{ list }}) as {{ element }} from {{ relation }}{%- endmacro %}

{#- The list with an expression applied to each element. -#}
{% macro list_map(list, element, value) -%}{{ return(adapter.dispatch('list_map')(list, element, value)) }}{%- endmacro %}
{% macro spark__list_map(list, element, value) -%}transform({{ list }}, {{ element }} -> {{ value }}){%- endmacro %}
{% macro duckdb__list_map(list, element, value) -%}list_transform({{ list }}, lambda {{ element }}: {{ value }}){%- endmacro %}

{#- The elements for which a condition is true. -#}
{% macro list_where(list, element, condition) -%}{{ return(adapter.dispatch('list_where')(list, element, condition)) }}{%- endmacro %}
{% macro spark__list_where(list, element, condition) -%}filter({{ list }}, {{ element }} -> {{ condition }}){%- endmacro %}
{% macro duckdb__list_where(list, element, condition) -%}list_filter({{ list }}, lambda {{ element }}: {{ condition }}){%- endmacro %}

{% macro list_size(list) -%}{{ return(adapter.dispatch('list_size')(list)) }}{%- endmacro %}
{% macro spark__list_size(list) -%}size({{ list }}){%- endmacro %}
{% macro duckdb__list_size(list) -%}len({{ list }}){%- endmacro %}

{#- The sum of integers; null if there are none. -#}
{% macro list_sum(list) -%}{{ return(adapter.dispatch('list_sum')(list)) }}{%- endmacro %}
{% macro spark__list_sum(list) -%}reduce({{ list }}, cast(null as bigint), (total, term) -> coalesce(total, 0) + term){%- endmacro %}
{% macro duckdb__list_sum(list) -%}cast(list_sum({{ list }}) as bigint){%- endmacro %}

{#- The bitwise or of the numbers. -#}
{% macro list_bit_or(list) -%}{{ return(adapter.dispatch('list_bit_or')(list)) }}{%- endmacro %}
{% macro spark__list_bit_or(list) -%}reduce({{ list }}, cast(0 as bigint), (bits, each) -> bits | each){%- endmacro %}
{% macro duckdb__list_bit_or(list) -%}list_bit_or({{ list }}){%- endmacro %}

{% macro list_min(list) -%}{{ return(adapter.dispatch('list_min')(list)) }}{%- endmacro %}
{% macro spark__list_min(list) -%}array_min({{ list }}){%- endmacro %}
{% macro duckdb__list_min(list) -%}list_min({{ list }}){%- endmacro %}

{#- The texts of a group, joined in this order with a separator. -#}
{% macro joined_in_order(value, order, between) -%}{{ return(adapter.dispatch('joined_in_order')(value, order, between)) }}{%- endmacro %}
{% macro spark__joined_in_order(value, order, between) -%}
    array_join(transform(
        sort_array(collect_list(named_struct('place', {{ order }}, 'value', {{ value }}))), each_text -> each_text.value
    ), '{{ between }}')
{%- endmacro %}
{% macro duckdb__joined_in_order(value, order, between) -%}string_agg({{ value }}, '{{ between }}' order by {{ order }}){%- endmacro %}
