{#- What time alone changes in tables with rows per person. int_touched_people has everyone for whom such a time is over. -#}

{#- All numbers of days after a change at which it leaves a window of int_recent_activity, or a cooldown that it began ends.
    The windows of governance rules are in their table. -#}
{% macro days_until_something_ends() %}
    {{ return([30, 90, 365, var('invitation_cooldown_days'), var('participation_cooldown_days')]) }}
{% endmacro %}

{#- Whether so many days after a change are over at as-of, and were not at the as-of of the last build. -#}
{% macro ends_since_the_last_build(changed_at, days) -%}
    (
        {{ changed_at }} > {{ days_before(instant(previous_build().as_of), days) }}
        and {{ changed_at }} <= {{ days_before(as_of(), days) }}
    )
{%- endmacro %}
