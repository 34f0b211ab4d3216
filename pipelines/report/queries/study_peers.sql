-- The study compared with the median of all studies of its type, including itself.
--   measured | Measure | name: What is compared: the share of no-shows, the pass rate of the screener, the time to recruit, or the time in a stage.
--   value | Value | measure share_of_study days_of_study: The study's value: a share, or a median time.
--   median | Median of its type | measure share_of_type days_of_type: The median of the values of all studies of the type.
--   times_worse | Ratio (above 1 is worse) | times: marts.study_peers.times_worse
--   counted | Cases | number: marts.study_peers.counted
select
    case measure
        when 'no_show_share' then 'No-shows'
        when 'screener_pass_rate' then 'Passed the screener'
        when 'days_to_recruit' then 'Time to recruit'
        else 'Time in stage ' || stage
    end as measured,
    share_of_study,
    share_of_type,
    days_of_study,
    days_of_type,
    times_worse,
    counted
from marts.study_peers
where study_id = $study and is_comparable
order by place
