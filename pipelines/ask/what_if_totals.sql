-- The totals of all studies. A person who is spared in several studies counts once.
select
    coalesce(sum(invitations), 0)::bigint as invitations,
    coalesce(sum(stopped), 0)::bigint as stopped,
    count(distinct person_id) filter (stopped > 0) as people_spared,
    count(*) filter (is_completed) as completed,
    count(*) filter (is_lost) as completions_lost,
    round(coalesce(sum(chance), 0), 2) as expected_lost
from listing
