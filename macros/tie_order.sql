{#- How int_tie_order writes down sets and sequences of changes. -#}

{% macro two_to_the(exponent) -%}(cast(1 as bigint) << cast({{ exponent }} as integer)){%- endmacro %}

{% macro tie_token(moment, member) -%}
    concat(
        ',', lpad(cast({{ moment }} as {{ dbt.type_string() }}), 4, '0'),
        ':', lpad(cast({{ member }} as {{ dbt.type_string() }}), 3, '0')
    )
{%- endmacro %}
