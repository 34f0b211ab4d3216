-- One row per study that invited anybody in the last year, the ones with the most stopped invitations first.
select
    study_id,
    study_name,
    sum(invitations)::bigint as invitations,
    sum(stopped)::bigint as stopped,
    count(distinct person_id) filter (stopped > 0) as people_spared,
    count(*) filter (is_completed) as completed,
    count(*) filter (is_lost) as completions_lost,
    round(sum(chance), 2) as expected_lost,
    as_of
from listing
group by study_id, study_name, as_of
order by stopped desc, study_id
