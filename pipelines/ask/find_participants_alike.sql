-- At most three participants whose ids are like $asked, the likest first.
select participant_id
from marts.participants
where
    $asked <> ''
    and (starts_with(participant_id, $asked) or jaro_winkler_similarity(participant_id, $asked) >= 0.85)
order by
    starts_with(participant_id, $asked) desc,
    jaro_winkler_similarity(participant_id, $asked) desc,
    participant_id
limit 3
