{#- The moment the tables speak for, one value for the whole run. -#}

{% macro as_of() -%}
    cast('{{ var("as_of") or run_started_at.isoformat() }}' as {{ instant_type() }})
{%- endmacro %}
