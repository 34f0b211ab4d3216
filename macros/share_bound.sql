{#- A bound (`low` or `high`) of Wilson's interval of a share, which is also right for few trials and for shares of 0
    and 1. `z` is the half-width in standard deviations, by default for 95%. Null without trials. -#}
{% macro share_bound(bound, hits, trials, z=1.959963984540054) -%}
    case
        when {{ trials }} = 0 then null
        when {{ hits }} = {{ '0' if bound == 'low' else trials }} then {{ 'cast(0 as double)' if bound == 'low' else 'cast(1 as double)' }}
        else
            (
                {{ hits }} + cast({{ z * z / 2 }} as double) {{ '-' if bound == 'low' else '+' }} cast({{ z }} as double)
                * sqrt(cast({{ hits }} as double) * ({{ trials }} - {{ hits }}) / {{ trials }} + cast({{ z * z / 4 }} as double))
            ) / ({{ trials }} + cast({{ z * z }} as double))
    end
{%- endmacro %}

{#- Creates the functions marts.share_low(hits, trials) and marts.share_high(hits, trials), with which queries outside
    dbt compute the same bounds. Runs at the start of every build. -#}
{% macro duckdb__share_functions() -%}
create schema if not exists marts;
{%- for bound in ['low', 'high'] %}
create or replace macro marts.share_{{ bound }}(hits, trials) as ({{ share_bound(bound, 'hits', 'trials') }});
{%- endfor %}
{%- endmacro %}
