{#- Whether someone who dropped off will not go on: they are in a terminal stage, and no incentive was sent that they can
    still claim. The arguments name relations with the columns of int_participants and of stg_statuses. -#}
{% macro is_lost(participants, statuses) -%}
    ({{ participants }}.is_terminal and not ({{ statuses }}.is_sent and {{ statuses }}.requires_state is null))
{%- endmacro %}
