-- One row per change of $participant_ids, in order, including inferred ones, with the file and line of its first
-- delivery. The time of receipt is known only for deliveries in envelopes.
with

deliveries as (
    select
        raw_deliveries.participant_id,
        raw_deliveries.status,
        raw_deliveries.prior_status,
        raw_deliveries.updated_at,
        raw_deliveries.received_at,
        raw_deliveries.loaded_at,
        raw_deliveries.line_number,
        files.source_file
    from raw.deliveries as raw_deliveries
    inner join raw.files
        on raw_deliveries.file_id = files.file_id
    where raw_deliveries.reason is null and raw_deliveries.participant_id in (select unnest($participant_ids))
    qualify row_number() over (
        partition by
            raw_deliveries.participant_id, raw_deliveries.status, raw_deliveries.prior_status, raw_deliveries.updated_at
        order by raw_deliveries.received_at asc nulls last, raw_deliveries.load_id, files.source_file,
            raw_deliveries.line_number, raw_deliveries.position
    ) = 1
),

changes as (
    select
        *,
        lag(is_inferred, 1, false) over (partition by participant_id order by sequence_number) as follows_inferred
    from marts.status_changes
    where participant_id in (select unnest($participant_ids))
)

select
    changes.participant_id,
    changes.person_id,
    changes.study_id,
    studies.study_name,
    changes.sequence_number,
    changes.is_inferred or (changes.follows_gap and not changes.follows_inferred) as is_gap_before,
    changes.occurred_at,
    changes.prior_status,
    changes.status,
    statuses.label as status_label,
    changes.stage,
    changes.is_current,
    changes.is_inferred,
    changes.deliveries,
    deliveries.received_at,
    epoch(deliveries.received_at - changes.occurred_at) / 3600 as late_hours,
    deliveries.loaded_at,
    deliveries.source_file,
    deliveries.line_number,
    built_as_of.as_of
from changes
left join reference.participant_statuses as statuses
    on changes.status = statuses.status
left join deliveries
    on
        changes.participant_id = deliveries.participant_id
        and changes.status = deliveries.status
        and changes.prior_status is not distinct from deliveries.prior_status
        and changes.occurred_at = deliveries.updated_at
        and not changes.is_inferred
inner join marts.participants
    on changes.participant_id = participants.participant_id
inner join marts.study_progress as studies
    on changes.study_id = studies.study_id
cross join audit.built_as_of
order by participants.first_seen_at, changes.participant_id, changes.sequence_number
