{#- Formulas of int_incidence. Its rows have `n` people at risk, `d` who completed or were lost, and `s`, the share that
    was still active before. -#}

{#- Aalen's variance of the incidence `f` at each row, from all rows of the curve up to it (window `so_far`). Terms with
    a denominator of zero count as zero. -#}
{% macro variance_of_incidence(f, exits) -%}
    {%- set a = '(case when n > 1 and d < n then d / ((n - 1e0) * (n - d)) else 0e0 end)' -%}
    {%- set left = exits ~ ' * (n - ' ~ exits ~ ')' -%}
    {%- set b = '(case when n > 1 then s * s * ' ~ left ~ ' / (n * n * (n - 1e0)) else 0e0 end)' -%}
    {%- set c = '(case when n > 1 and d < n then s * ' ~ left ~ ' / (n * (n - d) * (n - 1e0)) else 0e0 end)' -%}
    {{ f }} * {{ f }} * {{ exact_sum(a, 'over so_far') }}
    - 2 * {{ f }} * {{ exact_sum(f ~ ' * ' ~ a ~ ' + ' ~ c, 'over so_far') }}
    + {{ exact_sum(f ~ ' * ' ~ f ~ ' * ' ~ a ~ ' + ' ~ b ~ ' + 2 * ' ~ f ~ ' * ' ~ c, 'over so_far') }}
{%- endmacro %}

{#- A query that adds the bounds of 95% bands to a relation: `completed_low` and `completed_high` from the incidence
    `completed_share` and its `completed_variance`. The band is transformed so that it stays between 0 and 1. Bounds are null
    if the incidence is 0 or 1. -#}
{% macro with_bands(relation, exits) -%}
    {%- set logs, widths, bounds = {}, {}, {} -%}
    {%- for exit in exits -%}
        {%- set share, log, width = exit ~ '_share', exit ~ '_log', exit ~ '_width' -%}
        {%- do logs.update({log: 'case when ' ~ share ~ ' > 0.5e-10 and ' ~ share ~ ' < 1e0 - 0.5e-10 then ' ~ share ~ ' end'}) -%}
        {%- do widths.update({
            width: '1.959963984540054e0 * sqrt(greatest(' ~ exit ~ '_variance, 0e0)) / (' ~ share ~ ' * ' ~ log ~ ')'
        }) -%}
        {%- do bounds.update({exit ~ '_from': log ~ ' / ' ~ width, exit ~ '_to': log ~ ' * ' ~ width}) -%}
    {%- endfor -%}
    {%- set logged = '(' ~ with_logs(relation, logs) ~ ') as logged' -%}
    {%- set widened = '(' ~ with_exponentials(logged, widths) ~ ') as widened' -%}
    select *
        {%- for exit in exits -%}
            , {{ rounded(exit ~ '_from', 10) }} as {{ exit }}_low, {{ rounded(exit ~ '_to', 10) }} as {{ exit }}_high
        {%- endfor %}
    from ({{ with_exponentials(widened, bounds) }}) as bounded
{%- endmacro %}

{#- The first day in study_incidence that includes an event this many hours after the invitation. study_incidence shows
    every day for two weeks, then every seventh day, and the last day. -#}
{% macro shown_day(hours) -%}
    case
        when {{ hours }} = 0 then 1
        when {{ hours }} <= 24 * {{ last_single_day() }} then ceil({{ hours }} / 24e0)
        else 7 * ceil({{ hours }} / 168e0)
    end
{%- endmacro %}
{% macro last_single_day() -%}{{ return(14) }}{%- endmacro %}
{% macro last_shown_day() -%}{{ return(91) }}{%- endmacro %}
