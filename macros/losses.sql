{#- The estimated number of lost changes, from the links between delivered changes. If each change is lost with
    probability p, a share p of the links is broken, and p / (1 - p) changes were lost for each delivered one. This
    ratio is broken links to unbroken links. Null without unbroken links. -#}
{% macro lost_changes(delivered, broken, links) -%}
    (cast({{ delivered }} as double) * {{ broken }} / nullif({{ links }} - {{ broken }}, 0))
{%- endmacro %}
