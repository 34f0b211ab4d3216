{#- Whether someone who has not reached a step is lost: they are in a terminal stage, and their status is not one in
    which a sent incentive can still be claimed.
    `participants` has the columns of int_participants, `statuses` those of stg_statuses. -#}
{% macro is_lost(participants, statuses) -%}
    ({{ participants }}.is_terminal and not ({{ statuses }}.is_sent and {{ statuses }}.requires_state is null))
{%- endmacro %}
