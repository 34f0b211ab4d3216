{#- Tables with rows per person change by the passing of time alone. int_touched_people includes everyone for whom such
    a time has passed since the last build. -#}

{#- After how many days a change leaves a window of int_recent_activity, or ends a cooldown. The windows of governance
    rules are in the table of rules. -#}
{% macro window_and_cooldown_days() %}
    {{ return([30, 90, 365, var('invitation_cooldown_days'), var('participation_cooldown_days')]) }}
{% endmacro %}

{#- Whether this many days after a change have passed at as-of, but had not passed at the as-of time of the last
    build. -#}
{% macro ends_since_last_build(changed_at, days) -%}
    (
        {{ changed_at }} > {{ days_before(instant(previous_build().as_of), days) }}
        and {{ changed_at }} <= {{ days_before(as_of(), days) }}
    )
{%- endmacro %}
