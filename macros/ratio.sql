{#- A share as a double; null if the denominator is 0. -#}
{% macro ratio(part, whole) -%}
    (cast({{ part }} as double) / nullif({{ whole }}, 0))
{%- endmacro %}
