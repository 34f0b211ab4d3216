{#- The epoch second of an instant, rounded down. -#}
{% macro whole_second(instant) -%}{{ return(adapter.dispatch('whole_second')(instant)) }}{%- endmacro %}
{% macro spark__whole_second(instant) -%}unix_seconds({{ instant }}){%- endmacro %}
{% macro duckdb__whole_second(instant) -%}cast(floor(epoch_us({{ instant }}) / 1000000.0) as bigint){%- endmacro %}

{#- The hour since the epoch, rounded down. -#}
{% macro whole_hour(instant) -%}cast(floor({{ whole_second(instant) }} / 3600e0) as bigint){%- endmacro %}
