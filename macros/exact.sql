{#- The sum of doubles, the same on every engine. The order of additions, which engines do not guarantee, changes the
    last digit of a sum. So this adds integers: whole billionths, and whole billionths of the rest of each term. -#}
{% macro exact_sum(term, over='') -%}
    {%- set billionths = '((' ~ term ~ ') * 1e9)' -%}
    {%- set rest = '(' ~ billionths ~ ' - floor(' ~ billionths ~ ')) * 1e9' -%}
    ({{ whole_sum(billionths, over) }} / 1e9 + {{ whole_sum(rest, over) }} / 1e18)
{%- endmacro %}
{% macro whole_sum(term, over) -%}cast(cast(sum(cast(floor({{ term }}) as bigint)) {{ over }} as bigint) as double){%- endmacro %}

{#- A double rounded to a number of decimals, the same on every engine. -#}
{% macro rounded(number, decimals) -%}(floor({{ number }} * 1e{{ decimals }} + 0.5e0) / 1e{{ decimals }}){%- endmacro %}
