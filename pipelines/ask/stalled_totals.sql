-- One row: how many are stalled in study $study_id or, if null, in all, by what to do about them.
select
    count(*) filter (where action = 'remind') as remind,
    count(*) filter (where action = 'move_by_hand') as move_by_hand,
    count(*) filter (where action = 'let_go') as let_go
from marts.ageing_participants
where study_id = coalesce($study_id, study_id)
