-- One row per path in study $study_id, the most frequent first, and a row for all other paths together.
select
    place,
    path,
    path_labels,
    last_stage,
    outcome,
    variants,
    participants,
    share_of_study,
    without_end,
    timed,
    median_hours,
    p90_hours,
    median_hours_since
from marts.study_paths
where study_id = $study_id
order by place
