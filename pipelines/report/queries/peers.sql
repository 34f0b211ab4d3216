-- The measures on which open studies do worse than studies of the same type. The worst come first.
-- All: studyflow sql "from study_peers where times_worse > 1 order by place"
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   measured | Measure | name: What is compared: the share of no-shows, the pass rate of the screener, the time to recruit, or the time in a stage.
--   value | Value | measure share_of_study days_of_study: The study's value: a share, or a median time.
--   median | Median | measure share_of_type days_of_type: The median of the values of all studies of the type.
--   times_worse | Times worse | times: Factor by which the study is worse than the median: 2 means twice the days or no-shows, or half the pass rate. A dash if it cannot be computed.
--   counted | Cases | number: marts.study_peers.counted
select
    peers.study_id,
    coalesce(peers.study_name, peers.study_id) as study,
    case peers.measure
        when 'no_show_share' then 'No-shows'
        when 'screener_pass_rate' then 'Passed the screener'
        when 'days_to_recruit' then 'Time to recruit'
        else 'Time in stage ' || peers.stage
    end as measured,
    peers.share_of_study,
    peers.share_of_type,
    peers.days_of_study,
    peers.days_of_type,
    peers.times_worse,
    peers.counted,
    count(*) over () as of_all
from marts.study_peers as peers
inner join marts.study_progress as studies
    on peers.study_id = studies.study_id
where
    peers.is_comparable
    and not studies.is_closed
    and (peers.times_worse > 1 or (peers.times_worse is null and peers.share_of_study is distinct from peers.share_of_type))
    and peers.study_id = coalesce($study, peers.study_id)
order by peers.place
limit $rows
