-- One row per study: how often its statements with an 80% chance came true in the last backtest. If the study has too
-- few, the row is about the statements of all studies.
select
    forecast.study_id,
    record.judged as judged_80,
    record.came_true as came_true_80,
    record.is_unreliable
from marts.study_forecast as forecast
inner join state.forecast_record as record
    on coalesce(record.study_id, forecast.study_id) = forecast.study_id
where record.confidence = 80 and record.statement is null and (record.study_id is null or record.is_enough)
qualify row_number() over (partition by forecast.study_id order by record.study_id nulls last) = 1
