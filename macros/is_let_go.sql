{#- Whether nothing is to be done about a stalled participant: they were disqualified, or the study is closed or full.
    `statuses` has the columns of stg_statuses, `progress` those of study_progress. -#}
{% macro is_let_go(statuses, progress) -%}
    ({{ statuses }}.stalled_action = 'let_go' or {{ progress }}.is_closed or {{ progress }}.is_full)
{%- endmacro %}
