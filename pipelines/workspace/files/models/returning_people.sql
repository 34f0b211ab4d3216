-- An example of a model of your own. `studyflow run` builds it with all others, as the table custom.returning_people.
with

participants as (
    select * from {{ ref('participants') }}
)

select
    person_id,
    count(distinct study_id) as studies,
    min(first_seen_at) as first_seen_at,
    max(last_changed_at) as last_changed_at
from participants
group by person_id
having count(distinct study_id) > 1
