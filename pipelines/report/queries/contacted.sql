-- Who is now over a limit in data/reference/governance_rules.csv. People who went over it since the last report come first.
-- All: studyflow contacted{study}
--   person_id | Person | code: marts.contact_limits.person_id
--   person_name | Name | person: marts.people.person_name
--   exceeded_at | Last exceeded | moment: When they last went over one of the limits.
--   is_new | New | flag new bad: Whether they went over a limit since the last report.
--   contacts_30d | Emails in 30 days | number: Invitations and incentives that Rally emailed them in the last 30 days.
--   contact_status | Contact status | name: marts.people.contact_status
--   rules | Limit | name: marts.contact_limits.rule_name
with

exceeded_limits as (
    select contact_limits.*
    from marts.contact_limits
    cross join audit.built_as_of
    where
        contact_limits.in_window_now > contact_limits.at_most
        and contact_limits.last_exceeded_at + to_days(contact_limits.within_days) > built_as_of.as_of
),

in_study as (
    select distinct person_id
    from marts.participants
    where study_id = coalesce($study, study_id)
)

select
    people.person_id,
    any_value(people.person_name) as person_name,
    string_agg(exceeded_limits.rule_name, '; ' order by exceeded_limits.rule_name) as rules,
    max(exceeded_limits.last_exceeded_at) as exceeded_at,
    max(exceeded_limits.last_exceeded_at) > $since as is_new,
    any_value(people.contacts_30d) as contacts_30d,
    any_value(people.contact_status) as contact_status,
    count(*) over () as of_all,
    count(*) filter (max(exceeded_limits.last_exceeded_at) > $since) over () as new_of_all
from exceeded_limits
inner join in_study
    on exceeded_limits.person_id = in_study.person_id
inner join marts.people
    on exceeded_limits.person_id = people.person_id
group by people.person_id
order by exceeded_at desc, people.person_id
limit $rows
