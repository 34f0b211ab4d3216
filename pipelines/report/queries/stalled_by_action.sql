-- Participants who have been in a stage for longer than 90% of completed visits to it, by what to do about them.
--   action: marts.ageing_participants.action
select
    action,
    is_actionable,
    count(*) as participants
from marts.ageing_participants
where
    action is not null
    and study_id = coalesce($study, study_id)
group by action, is_actionable
order by action desc
