-- The participant whose id $asked is (fit 1), and the participants of the person whose id it is (fit 2).
select
    participant_id,
    case when participant_id = $asked then 1 else 2 end as fit
from marts.participants
where participant_id = $asked or person_id = $asked
order by participant_id
