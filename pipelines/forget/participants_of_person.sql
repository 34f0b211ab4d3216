-- The participants of $person. A participant belongs to the person in the last change. If several changes have the same
-- time, the order in the marts decides.
with

last_changes as (
    select
        participant_id,
        max(updated_at) as updated_at
    from raw.deliveries
    where participant_id in (select participant_id from raw.deliveries where person_id = $person)
    group by participant_id
    having max(updated_at) = max(updated_at) filter (person_id = $person)
),

participants_of_others as (
    select last_changes.participant_id
    from last_changes
    inner join built_participants using (participant_id)
    where built_participants.person_id <> $person and built_participants.last_changed_at >= last_changes.updated_at
)

select participant_id from built_participants
where person_id = $person
union
select participant_id from last_changes
anti join participants_of_others using (participant_id)
order by participant_id
