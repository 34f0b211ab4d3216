with

tasks as (
    {{ incentive_tasks() }}
)

select
    cast(rank() over (order by owed_since) as integer) as place,
    study_name,
    study_id,
    participant_id,
    person_id,

    amount_cents,
    currency,
    days_waiting,
    first_action || 'remind them to claim the incentive' as action,

    owed_since as sent_at,
    is_overdue,
    is_study_closed
from tasks
where is_to_be_claimed
