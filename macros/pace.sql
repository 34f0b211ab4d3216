{#- A query for the pace of each study at each as-of time, with the basis of its forecast. The pace is the number of
    spells that completed in the two weeks before, divided by the number expected. Its relative variance is another
    column. With few completions, the pace stays close to 1. Expected completions are the growth of today's cumulative
    hazard in these weeks, summed over everyone at risk. Over all open studies, completed and expected numbers differ by
    more than chance (Pearson's chi-square). This excess is a measure of how far the pace of a study may be from 1, and
    of how much it may change. `incidence`: curves of int_incidence with their hazard; `sources`: the basis of each
    forecast. -#}
{% macro with_pace(incidence, sources) -%}
    with

    then_and_now as (
        select moment, study_key, hours, completed, completed as completed_by_now, 0 as ended_then, hazard
        from {{ incidence }}
        where study_key is not null
        union all
        select {{ days_before('moment', -14) }} as moment, study_key, hours, -completed, 0, at_risk - at_risk_after, 0e0
        from {{ incidence }}
        where study_key is not null
    ),

    followed as (
        select
            *,
            max(hazard) over (
                partition by moment, study_key order by hours range between unbounded preceding and current row
            ) as hazard_then
        from then_and_now
    ),

    recent as (
        select
            moment,
            study_key,
            sum(completed) as completed,
            sum(completed_by_now) - {{ exact_sum('ended_then * hazard_then') }} as expected
        from followed
        group by moment, study_key
        having sum(ended_then) > 0
    ),

    study_excess as (
        select
            recent.*,
            case when expected >= 1 then expected end as counted,
            least((completed - expected) * (completed - expected) / nullif(expected, 0e0), 1e4) - 1e0 as excess
        from recent
        inner join {{ sources }} as sources
            on recent.moment = sources.moment and recent.study_key = sources.source_key
    ),

    spreads as (
        select
            moment,
            greatest({{ exact_sum('case when counted > 0 then excess end') }} / {{ exact_sum('counted') }}, 0e0) as spread
        from study_excess
        group by moment
    )

    select
        sources.*,
        coalesce((1e0 + spread * coalesce(completed, 0)) / (1e0 + spread * coalesce(expected, 0e0)), 1e0) as pace,
        coalesce(spread * (1e0 + 1e0 / (1e0 + spread * coalesce(completed, 0))), 0e0) as pace_variance
    from {{ sources }} as sources
    left join spreads
        on sources.moment = spreads.moment
    left join study_excess
        on sources.moment = study_excess.moment and sources.study_key = study_excess.study_key
{%- endmacro %}
