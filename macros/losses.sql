{#- How many changes were lost, from the links between delivered ones. If each is lost with the same probability p, the
    share of broken links is p, and p / (1 - p) changes were lost for each that was delivered: the broken links for each
    whole one. Null where there is no whole link to judge by. -#}
{% macro lost_changes(delivered, broken, links) -%}
    (cast({{ delivered }} as double) * {{ broken }} / nullif({{ links }} - {{ broken }}, 0))
{%- endmacro %}

{#- A bound (`low` or `high`) of the 95 % interval of a share, after Wilson: it holds for few trials, and for a share of
    0 or 1, too. Null without trials. -#}
{% macro share_bound(bound, hits, trials) -%}
    {%- set z = 1.959963984540054 -%}
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
