-- People who are over a limit of governance_rules.csv now, the latest first; optionally only people in study $study_id.
with

exceeded_limits as (
    select contact_limits.*
    from marts.contact_limits
    cross join audit.built_as_of
    where
        contact_limits.in_window_now > contact_limits.at_most
        and contact_limits.last_exceeded_at + to_days(contact_limits.within_days) > built_as_of.as_of
)

select
    people.person_id,
    people.person_name,
    string_agg(exceeded_limits.rule_name, '; ' order by exceeded_limits.rule_name) as limits,
    max(exceeded_limits.last_exceeded_at) as last_exceeded_at,
    people.last_contact_at,
    people.contacts_30d,
    people.contact_status,
    built_as_of.as_of
from exceeded_limits
inner join marts.people
    on exceeded_limits.person_id = people.person_id
cross join audit.built_as_of
where
    $study_id is null
    or people.person_id in (select person_id from marts.participants where study_id = $study_id)
group by all
order by last_exceeded_at desc, people.person_id
