{#- A share as a double; null when nobody is in the denominator. -#}
{% macro ratio(part, whole) -%}
    (cast({{ part }} as double) / nullif({{ whole }}, 0))
{%- endmacro %}
