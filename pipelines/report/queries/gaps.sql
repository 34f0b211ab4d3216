-- Where webhooks are missing, by study.
-- All: studyflow sql "from audit.gaps"
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   newly | New | number bad: Gaps that became visible since the last report.
--   gaps | Total | number: Places in the histories where at least one webhook is missing, including before a participant's first change.
--   participants | Participants | number: Participants with a gap in their history.
--   loss | Share lost | share broken_links links loss low high: audit.feed_coverage.loss_rate
--   lost | Estimated lost | count: Estimated number of changes lost since the feed began, including those that leave no gap. It is computed from Share lost, not from Total, and can be lower than Total: a gap before a participant's first change counts in Total but breaks no link. A dash if every link is broken, or if there are no links.
--   last_lost_before | Last noticed | moment: When the latest gap became visible. The missing change happened at this time or earlier.
select
    gaps.study_id,
    coalesce(studies.study_name, gaps.study_id) as study,
    count(*) filter (gaps.lost_before > $since) as newly,
    count(*) as gaps,
    count(distinct gaps.participant_id) as participants,
    any_value(coverage.broken_links) as broken_links,
    any_value(coverage.links) as links,
    any_value(coverage.loss_rate) as loss,
    any_value(coverage.loss_rate_low) as low,
    any_value(coverage.loss_rate_high) as high,
    any_value(coverage.lost) as lost,
    max(gaps.lost_before) as last_lost_before,
    cast(sum(count(*)) over () as bigint) as gaps_in_all,
    cast(sum(count(*) filter (gaps.lost_before > $since)) over () as bigint) as newly_in_all,
    count(*) over () as of_all
from audit.gaps
inner join marts.study_progress as studies
    on gaps.study_id = studies.study_id
left join audit.feed_coverage as coverage
    on gaps.study_id = coverage.study_id
where gaps.study_id = coalesce($study, gaps.study_id)
group by gaps.study_id, studies.study_name
order by newly desc, gaps desc, gaps.study_id
limit $rows
