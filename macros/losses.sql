{#- How many changes were lost, from the links between delivered ones. If each is lost with the same probability p, the
    share of broken links is p, and p / (1 - p) changes were lost for each that was delivered: the broken links for each
    whole one. Null where there is no whole link to judge by. -#}
{% macro lost_changes(delivered, broken, links) -%}
    (cast({{ delivered }} as double) * {{ broken }} / nullif({{ links }} - {{ broken }}, 0))
{%- endmacro %}
