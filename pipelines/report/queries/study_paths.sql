-- The most frequent paths of participants through the study, and where they lead.
-- All: studyflow funnel {study_id}
--   path_labels | Path | text: marts.study_paths.path_labels
--   participants | Participants | number: marts.study_paths.participants
--   share | Of all | share participants of_study share low high: marts.study_paths.share_of_study
--   leads_to | Leads to | words: The stage, if the path ends in a terminal one; otherwise open if participants may still continue, or stopped if they are unlikely to.
--   days_since | Waiting | days: If the path does not end in a terminal stage, the median time since participants reached its last status.
--   median_days | Median | days: The median time from the first change to the last status of the path.
--   p90_days | 90th percentile | days: The time within which 90% reached the last status of the path.
with

paths as (
    select
        *,
        cast(sum(participants) over () as bigint) as of_study,
        count(*) over () as of_all
    from marts.study_paths
    where study_id = $study
)

select
    path_labels,
    participants,
    of_study,
    share_of_study as share,
    marts.share_low(participants, of_study) as low,
    marts.share_high(participants, of_study) as high,
    case when outcome = 'ended' then last_stage else outcome end as leads_to,
    median_hours_since / 24 as days_since,
    median_hours / 24 as median_days,
    p90_hours / 24 as p90_days,
    of_all
from paths
where path is not null
order by place
limit $rows
