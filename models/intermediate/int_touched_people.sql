{%- set before = previous_build() if builds_on_the_last() else none -%}
{%- do ref('status_changes') -%}
{%- do ref('stg_governance_rules') -%}
with

touched_participants as (
    select * from {{ ref('int_touched_participants') }}
),

linked_changes as (
    select * from {{ of_touched_participants(ref('int_linked_changes')) }}
    {{ 'where 1 = 0' if not builds_on_the_last() }}
),

touched as (
    select person_id from touched_participants
    union
    select person_id from linked_changes

    {%- if before %}
        union
        -- Something of theirs has left a window of days since the last build.
        select person_id from {{ ref('status_changes') }}
        where
            {%- for days in days_of_windows() %}
                {{ "or " if not loop.first }}(
                    occurred_at > {{ days_before(instant(before.previous_as_of), days) }}
                    and occurred_at <= {{ days_before(as_of(), days) }}
                )
            {%- endfor %}
    {%- endif %}
)

select person_id from touched
where person_id is not null
