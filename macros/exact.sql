{#- The sum of doubles. Sums differ in the last digit by the order in which doubles are added, which no engine promises; this one
    is of whole billionths, and of whole billionths of what is left of each term. -#}
{% macro exact_sum(term, over='') -%}
    {%- set billionths, rest = 'floor(a_term * 1e9)', 'floor((a_term * 1e9 - floor(a_term * 1e9)) * 1e9)' -%}
    ({{ whole_sum(given('a_term', term, billionths), over) }} / 1e9 + {{ whole_sum(given('a_term', term, rest), over) }} / 1e18)
{%- endmacro %}
{% macro whole_sum(term, over) -%}cast(cast(sum(cast({{ term }} as bigint)) {{ over }} as bigint) as double){%- endmacro %}

{#- A double rounded to so many decimals, in one way on every engine. -#}
{% macro rounded(number, decimals) -%}(floor({{ number }} * 1e{{ decimals }} + 0.5e0) / 1e{{ decimals }}){%- endmacro %}
