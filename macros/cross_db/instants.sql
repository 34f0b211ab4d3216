{#- Instants: points in time, kept and shown in UTC. What engines name and compute differently stands here. -#}

{% macro instant_type() -%}{{ return(adapter.dispatch('instant_type')()) }}{%- endmacro %}
{% macro default__instant_type() -%}timestamp{%- endmacro %}
{% macro duckdb__instant_type() -%}timestamptz{%- endmacro %}

{% macro instant(text) -%}cast('{{ text }}' as {{ instant_type() }}){%- endmacro %}

{#- Exact seconds between two instants, as a double. -#}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between')(earlier, later)) }}
{%- endmacro %}
{% macro default__seconds_between(earlier, later) -%}
    ((unix_micros({{ later }}) - unix_micros({{ earlier }})) / 1000000.0)
{%- endmacro %}
{% macro duckdb__seconds_between(earlier, later) -%}
    ((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 1000000.0)
{%- endmacro %}

{% macro hours_between(earlier, later) -%}({{ seconds_between(earlier, later) }} / 3600.0){%- endmacro %}
{% macro days_between(earlier, later) -%}({{ seconds_between(earlier, later) }} / 86400.0){%- endmacro %}

{#- The instant so many days of 24 hours before another. -#}
{% macro days_before(instant, days) -%}
    {{ return(adapter.dispatch('days_before')(instant, days)) }}
{%- endmacro %}
{% macro default__days_before(instant, days) -%}
    ({{ instant }} - make_dt_interval(0, 24 * ({{ days }})))
{%- endmacro %}
{% macro duckdb__days_before(instant, days) -%}
    ({{ instant }} - to_hours(24 * ({{ days }})))
{%- endmacro %}

{#- The day an instant falls on, in the report's time zone. -#}
{% macro report_date(instant) -%}{{ return(adapter.dispatch('report_date')(instant)) }}{%- endmacro %}
{% macro default__report_date(instant) -%}
    cast(from_utc_timestamp({{ instant }}, '{{ var("report_timezone") }}') as date)
{%- endmacro %}
{% macro duckdb__report_date(instant) -%}
    cast({{ instant }} at time zone '{{ var("report_timezone") }}' as date)
{%- endmacro %}
