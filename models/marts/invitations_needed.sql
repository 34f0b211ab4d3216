with

forecasts as (
    select
        study_id,
        target_on,
        remaining,
        spells
    from {{ ref('study_forecast') }}
    where remaining > 0
),

-- The coming six Mondays, and the day of the target.
by_when as (
    select
        daily.*,
        forecasts.remaining,
        forecasts.spells,
        daily.day = forecasts.target_on as is_target_on
    from {{ ref('study_forecast_daily') }} as daily
    inner join forecasts
        on daily.study_id = forecasts.study_id
    where
        coalesce(daily.day = forecasts.target_on, false)
        or (daily.days <= 42 and daily.day = cast({{ dbt.date_trunc('week', 'daily.day') }} as date))
),

confidences as (
    {%- for level in [50, 80, 95] %}
        select {{ level }} as confidence, {{ deviations_of(level) }} as z{{ ' union all' if level < 95 }}
    {%- endfor %}
),

-- If m people are invited now, m f of them are expected to complete. The number varies by chance, because f is only
-- estimated, and because people invited before may complete or not.
terms as (
    select
        by_when.study_id,
        by_when.day,
        coalesce(by_when.is_target_on, false) as is_target_on,
        by_when.days,
        confidences.confidence,
        by_when.remaining - by_when.expected as still_missing,
        confidences.z * sqrt(by_when.variance) as margin,
        by_when.invited_share as f,
        confidences.z * confidences.z * by_when.invited_share * (1e0 - by_when.invited_share)
        / (by_when.spells + 1e0) as w,
        by_when.spells as n
    from by_when
    cross join confidences
),

-- m is the larger root of a m² - b m + c.
quadratic as (
    select
        *,
        f * f - w as a,
        2e0 * still_missing * f + w * n as b,
        still_missing * still_missing - margin * margin as c
    from terms
)

select
    study_id,
    confidence,
    day as by_when,
    is_target_on,
    is_target_on
    or (days between 22 and 28 and not bool_or(is_target_on) over (partition by study_id)) as is_planned_for,
    days,
    {{ rounded('still_missing', 6) }} as still_missing,
    f as invited_share,
    cast(
        case
            when still_missing + margin <= 1e-9 then 0
            when a > 1e-9 then greatest(ceil((b + sqrt(greatest(b * b - 4e0 * a * c, 0e0))) / (2e0 * a) - 1e-6), 0)
        end as integer
    ) as invitations,
    still_missing + margin > 1e-9 and a <= 1e-9 as too_little_known
from quadratic
