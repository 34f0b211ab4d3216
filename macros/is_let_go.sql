{#- Whether nobody waits for someone any more: their status says so (they were disqualified), or the study takes nobody.
    The arguments name relations with the columns of stg_statuses and of study_progress. -#}
{% macro is_let_go(statuses, progress) -%}
    ({{ statuses }}.stalled_action = 'let_go' or {{ progress }}.is_closed or {{ progress }}.is_full)
{%- endmacro %}
