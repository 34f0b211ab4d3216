-- People who may be invited, in the order of the list may_be_invited; optionally only those in the stage Not Started of
-- study $study_id.
create temp table listing as
select
    may_be_invited.* exclude (place),
    built_as_of.as_of,
    row_number() over (order by may_be_invited.place, may_be_invited.person_id) as place
from marts.may_be_invited
cross join audit.built_as_of
where
    $study_id is null
    or may_be_invited.person_id in (
        select participants.person_id
        from marts.participants
        inner join reference.stages
            on participants.current_stage = stages.stage
        where participants.study_id = $study_id and stages.stage_key = 'not_started'
    )
