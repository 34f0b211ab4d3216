-- One row per participant of $participant_ids: the current status.
select
    participants.participant_id,
    participants.person_id,
    people.person_name,
    participants.study_id,
    studies.study_name,
    participants.current_status,
    participants.current_status_label,
    participants.status_since,
    participants.current_stage,
    ageing.stage_since,
    participants.is_terminal,
    participants.furthest_step,
    participants.incentive_status,
    backlog.backlog_state,
    backlog.owed_since,
    backlog.is_overdue,
    backlog.is_hidden,
    backlog.is_study_closed,
    backlog.amount_cents,
    backlog.currency,
    people.contact_status,
    people.cooldown_ends_at,
    participants.first_seen_at,
    participants.last_changed_at,
    participants.status_changes,
    participants.missing_changes
from marts.participants
inner join marts.people
    on participants.person_id = people.person_id
inner join marts.study_progress as studies
    on participants.study_id = studies.study_id
left join marts.ageing_participants as ageing
    on participants.participant_id = ageing.participant_id
left join marts.incentive_backlog as backlog
    on participants.participant_id = backlog.participant_id
where participants.participant_id in (select unnest($participant_ids))
order by participants.first_seen_at, participants.participant_id
