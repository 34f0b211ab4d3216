-- The rows of state.forecast_record from the last backtest, with names of studies: all statements first, then by kind,
-- then by study, the least reliable first.
select
    record.study_id,
    studies.study_name,
    record.statement,
    record.horizon,
    record.confidence,
    record.statements,
    record.judged,
    record.came_true,
    record.came_true_share,
    record.said,
    record.was_full,
    record.is_unreliable,
    record.weeks,
    record.as_of
from state.forecast_record as record
left join marts.study_progress as studies
    on record.study_id = studies.study_id
order by
    record.study_id is not null,
    record.statement is not null,
    record.statement desc,
    record.horizon,
    min(record.came_true_share) filter (record.confidence = 80) over (partition by record.study_id) nulls last,
    record.study_id,
    record.confidence
