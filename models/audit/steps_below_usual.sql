{%- set days_watched, fewest, log_half, log_1000 = 20, 30, '-0.6931471805599453e0', '6.907755278982137e0' -%}
{%- set earlier = 'order by days_ago desc rows between unbounded preceding and 1 preceding' -%}
{#- The logarithm of how much likelier it is that so many went on if the share is half of what is usual. -#}
{%- set evidence -%}
    outcomes.went_on * {{ log_half }}
    - (outcomes.arrived - outcomes.taken_out - outcomes.went_on) * usual.log_of_stayed
{%- endset -%}
with

studies as (
    select
        studies.study_key,
        studies.study_id,
        studies.study_type,
        studies.is_closed or coalesce(forecast.is_full, false) as is_over
    from {{ ref('int_studies') }} as studies
    inner join {{ ref('study_forecast') }} as forecast
        on studies.study_id = forecast.study_id
),

outcomes as (
    select
        outcomes.*,
        studies.study_type
    from {{ ref('int_step_outcomes') }} as outcomes
    inner join studies
        on outcomes.study_key = studies.study_key
),

-- The usual share before each day, from earlier arrivals: in this study, and in all studies of its type.
before_in_study as (
    select
        *,
        sum(arrived) over (partition by study_key, step_order, days {{ earlier }}) as trials,
        sum(went_on) over (partition by study_key, step_order, days {{ earlier }}) as hits
    from outcomes
),

before_in_type as (
    select
        study_type,
        step_order,
        days,
        days_ago,
        sum(sum(arrived)) over (partition by study_type, step_order, days {{ earlier }}) as trials,
        sum(sum(went_on)) over (partition by study_type, step_order, days {{ earlier }}) as hits
    from outcomes
    group by study_type, step_order, days, days_ago
),

-- The share of the type counts like `fewest` more people of the study.
usual as (
    select
        own.study_key,
        own.step_order,
        own.days,
        own.days_ago,
        coalesce(own.trials >= {{ fewest }}, false) as is_own,
        coalesce(own.trials, 0) + {{ fewest }}e0 as trials,
        coalesce(own.hits, 0) + of_type.hits * {{ fewest }}e0 / of_type.trials as hits
    from before_in_study as own
    inner join before_in_type as of_type
        on
            own.study_type = of_type.study_type and own.step_order = of_type.step_order
            and own.days = of_type.days and own.days_ago = of_type.days_ago
    where of_type.trials >= {{ fewest }} and own.days_ago <= {{ days_watched }}
),

bounded as (
    select
        *,
        hits / trials as share,
        {{ share_bound('low', 'hits', 'trials', z=0.8416212335729143) }} as share_low
    from usual
),

-- Everyone who arrived since each day.
compared as (
    select
        usual.study_key,
        usual.step_order,
        usual.days_ago,
        usual.is_own,
        min(outcomes.since) as since,
        sum(outcomes.arrived - outcomes.taken_out) as arrived,
        sum(outcomes.went_on) as went_on,
        {{ exact_sum('(outcomes.arrived - outcomes.taken_out) * usual.share') }} as expected,
        {{ exact_sum(evidence) }} as evidence
    from ({{ with_logs('bounded', {'log_of_stayed': '(1e0 - share_low) / (1e0 - share_low / 2e0)'}) }}) as usual
    inner join outcomes
        on
            usual.study_key = outcomes.study_key and usual.step_order = outcomes.step_order
            and usual.days_ago >= outcomes.days_ago and usual.days = outcomes.days
    where outcomes.is_all_known
    group by usual.study_key, usual.step_order, usual.days_ago, usual.is_own
)

select
    studies.study_id,
    steps.step,
    compared.since,
    cast(compared.arrived as integer) as arrived,
    cast(compared.went_on as integer) as went_on,
    {{ rounded('compared.expected', 6) }} as expected,
    case when compared.is_own then 'study' else 'type' end as rests_on,
    {{ rounded('1e0 / ' ~ exponential('-least(compared.evidence, 30e0)'), 2) }} as times_likelier
from compared
inner join studies
    on compared.study_key = studies.study_key
inner join {{ ref('funnel_steps') }} as steps
    on compared.step_order = steps.step_order
where not studies.is_over and compared.evidence >= {{ log_1000 }}
qualify
    row_number() over (
        partition by compared.study_key, compared.step_order order by compared.evidence desc, compared.days_ago asc
    ) = 1
