with

tasks as (
    {{ incentive_tasks() }}
)

select
    cast(rank() over (order by is_overdue desc, is_sent asc, is_hidden desc, owed_since asc) as integer) as place,
    study_name,
    study_id,
    participant_id,
    person_id,

    amount_cents,
    currency,
    days_waiting,
    first_action || case
        when is_sent then 'correct the email address and send the incentive again'
        when is_hidden then 'send the incentive (no table in Rally shows it)'
        else 'send the incentive'
    end as action,

    backlog_state,
    owed_since,
    is_overdue,
    is_hidden,
    is_study_closed
from tasks
where not is_to_be_claimed
