{#- Instants, i.e. points in time in UTC. These macros hide differences between engines. -#}

{% macro instant_type() -%}{{ return(adapter.dispatch('instant_type')()) }}{%- endmacro %}
{% macro spark__instant_type() -%}timestamp{%- endmacro %}
{% macro duckdb__instant_type() -%}timestamptz{%- endmacro %}

{#- The instant in an RFC 3339 text with an offset of at most 17:59; null for other texts, which engines would parse
    differently. -#}
{% macro instant_of_text(text) -%}
    {%- set time = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?' -%}
    {%- set pattern = '[0-9]{4}-[0-9]{2}-[0-9]{2}T' ~ time ~ '(Z|[+-](0[0-9]|1[0-7]):[0-5][0-9])' -%}
    case when {{ matches_pattern('upper(' ~ text ~ ')', pattern) }} then try_cast(upper({{ text }}) as {{ instant_type() }}) end
{%- endmacro %}

{% macro instant(text) -%}cast('{{ text }}' as {{ instant_type() }}){%- endmacro %}

{#- Whole microseconds between two instants. -#}
{% macro microseconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('microseconds_between')(earlier, later)) }}
{%- endmacro %}
{% macro spark__microseconds_between(earlier, later) -%}
    (unix_micros({{ later }}) - unix_micros({{ earlier }}))
{%- endmacro %}
{% macro duckdb__microseconds_between(earlier, later) -%}
    (epoch_us({{ later }}) - epoch_us({{ earlier }}))
{%- endmacro %}

{#- Exact hours, and days of 24 hours, as doubles. -#}
{% macro hours_of(microseconds) -%}({{ microseconds }} / 1e6 / 3600e0){%- endmacro %}
{% macro hours_between(earlier, later) -%}{{ hours_of(microseconds_between(earlier, later)) }}{%- endmacro %}
{% macro days_between(earlier, later) -%}({{ microseconds_between(earlier, later) }} / 1e6 / 86400e0){%- endmacro %}

{#- Hours between two instants, rounded up. Exact for spans of any length. -#}
{% macro begun_hours_between(earlier, later) -%}
    {%- set hour, span = 3600000000, microseconds_between(earlier, later) -%}
    cast(({{ span }} + ({{ hour }} - {{ span }} % {{ hour }}) % {{ hour }}) / 3600e6 as integer)
{%- endmacro %}

{#- The instant a number of days of 24 hours before another. -#}
{% macro days_before(instant, days) -%}
    {{ return(adapter.dispatch('days_before')(instant, days)) }}
{%- endmacro %}
{% macro spark__days_before(instant, days) -%}
    ({{ instant }} - make_dt_interval(0, 24 * ({{ days }})))
{%- endmacro %}
{% macro duckdb__days_before(instant, days) -%}
    ({{ instant }} - to_hours(24 * ({{ days }})))
{%- endmacro %}

{#- The day an instant falls on, in the report's time zone. -#}
{% macro report_date(instant) -%}{{ return(adapter.dispatch('report_date')(instant)) }}{%- endmacro %}
{% macro spark__report_date(instant) -%}
    cast(from_utc_timestamp({{ instant }}, '{{ var("report_timezone") }}') as date)
{%- endmacro %}
{% macro duckdb__report_date(instant) -%}
    cast({{ instant }} at time zone '{{ var("report_timezone") }}' as date)
{%- endmacro %}
