-- One row: the numbers of stalled participants by action, in study $study_id (null: all studies).
select
    count(*) filter (where action = 'remind') as remind,
    count(*) filter (where action = 'move_by_hand') as move_by_hand,
    count(*) filter (where action = 'let_go') as let_go
from marts.ageing_participants
where study_id = coalesce($study_id, study_id)
