{#- A subquery: the place of the first funnel step that a completion shows. Participants who reach it have completed. -#}
{% macro completing_step() -%}(select min(step_order) from {{ ref('stg_statuses') }} where is_completion){%- endmacro %}
