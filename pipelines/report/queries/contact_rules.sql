-- Contact limits that people exceeded, and how many are over them now.
--   rule | Limit | name: marts.contact_limits.rule_name
--   at_most | At most | number: marts.contact_limits.at_most
--   within_days | Window in days | number: marts.contact_limits.within_days
--   over_now | Over it now | number warn: People who went over the limit within the window that ends at the as-of time, and still have more events in that window than the limit allows.
--   newly | New | number bad: People who went over the limit since the last report.
--   ever | Ever | number: People who ever exceeded the limit.
--   worst | Largest excess | number: The largest number of events by which anybody has exceeded the limit.
select
    contact_limits.rule_name as rule,
    contact_limits.at_most,
    contact_limits.within_days,
    count(*) filter (
        contact_limits.in_window_now > contact_limits.at_most
        and contact_limits.last_exceeded_at + to_days(contact_limits.within_days) > built_as_of.as_of
    ) as over_now,
    count(*) filter (contact_limits.last_exceeded_at > $since) as newly,
    count(*) as ever,
    max(contact_limits.exceeded_by) as worst
from marts.contact_limits
cross join audit.built_as_of
where
    contact_limits.person_id in (
        select person_id from marts.participants
        where study_id = coalesce($study, study_id)
    )
group by contact_limits.rule_id, contact_limits.rule_name, contact_limits.at_most, contact_limits.within_days
order by over_now desc, newly desc, ever desc, contact_limits.rule_id
