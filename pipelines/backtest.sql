-- What studyflow backtest stores in the warehouse, from `past_statements`: each statement, and how many came true.
-- Builds do not change these tables.
create schema if not exists state;

create or replace table state.forecast_statements as from past_statements;

-- One row per confidence and kind of statement (null: all kinds), and per confidence and study (null: all studies).
-- `said`: the average probability that the forecasts gave to these statements. It is above the confidence, because
-- numbers of people and days are integers.
create or replace table state.forecast_record as
with

statements as (
    select
        *,
        case when statement = 'at_least' then days end as horizon
    from state.forecast_statements
)

select
    study_id,
    statement,
    horizon,
    confidence,
    any_value(as_of) as as_of,
    any_value(weeks) as weeks,
    count(*) as statements,
    count(came_true) as judged,
    count(*) filter (came_true) as came_true,
    count(*) filter (came_true) / nullif(count(came_true), 0) as came_true_share,
    avg(chance) filter (came_true is not null) as said,
    count(*) filter (was_full) as was_full,
    count(came_true) >= 30 as is_enough,
    confidence = 80 and is_enough and came_true_share < 0.7 as is_unreliable
from statements
group by grouping sets ((confidence), (statement, horizon, confidence), (study_id, confidence));
