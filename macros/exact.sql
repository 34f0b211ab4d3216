{#- A term of a sum. Sums of doubles differ in the last digit by the order in which they are added, which no engine promises;
    these do not. To be summed, and cast back to a double. -#}
{% macro exact(term) -%}cast({{ term }} as decimal(38, 18)){%- endmacro %}
