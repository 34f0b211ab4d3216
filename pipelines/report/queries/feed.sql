-- An estimate of how many webhooks never arrived.
--   gaps: audit.feed_totals.gaps
--   lost: audit.feed_totals.lost
--   lost_low: audit.feed_totals.lost_low
--   lost_high: audit.feed_totals.lost_high
select
    gaps,
    lost,
    lost_low,
    lost_high
from audit.feed_totals
where $study is null
union all
select
    gaps,
    lost,
    lost_low,
    lost_high
from audit.feed_coverage
where study_id = $study
