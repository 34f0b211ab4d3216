{#- A bound (`low` or `high`) of the interval of a share, after Wilson: it holds for few trials, and for a share of 0 or 1, too. `z`
    is how many standard deviations it is wide to either side, by default those of 95 %. Null without trials. -#}
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

{#- What a query outside dbt calls for the same: the functions share_low(hits, trials) and share_high(hits, trials) of
    schema marts, made at the start of every build. -#}
{% macro duckdb__share_functions() -%}
create schema if not exists marts;
{%- for bound in ['low', 'high'] %}
create or replace macro marts.share_{{ bound }}(hits, trials) as ({{ share_bound(bound, 'hits', 'trials') }});
{%- endfor %}
{%- endmacro %}
