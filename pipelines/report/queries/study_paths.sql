-- How participants moved through the study: their most frequent paths, and where these lead.
-- All: studyflow funnel {study_id}
--   path_labels | Path | text: marts.study_paths.path_labels
--   participants | Participants | number: marts.study_paths.participants
--   share | Of all | share participants of_study share low high: marts.study_paths.share_of_study
--   leads_to | Leads to | words: The stage, if it is an end; else whether participants may still go on (open) or will hardly do so (stopped).
--   days_since | There for | days: The median time for which those who have not ended have been where they are now.
--   median_days | Median | days: The median time from the first change to the last status of the path.
--   p90_days | 90th percentile | days: The time within which nine in ten came to it.
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
