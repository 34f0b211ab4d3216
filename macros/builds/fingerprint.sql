{#- What the tables depend on beside the deliveries and the as-of: the models, the macros, the reference tables, what
    studies.csv and people.csv say, and the vars. If it is another than that of the last build, all is made anew. -#}

{% macro fingerprint_of_project() %}
    {%- set files = files_of_project() -%}
    {%- for name in ['studies', 'people'] if there_is_a_file(reference_file(name)) -%}
        {%- do files.append(reference_file(name)) -%}
    {%- endfor -%}
    {%- set values = {} -%}
    {%- for name in vars_of_tables() -%}{%- do values.update({name: var(name)}) -%}{%- endfor -%}
    {{- return('(' ~ fingerprint(files, values) ~ ')') -}}
{% endmacro %}

{% macro files_of_project() -%}
    {{ return(['dbt_project.yml', 'models/**/*.sql', 'models/**/*.yml', 'macros/**/*.sql', 'data/reference/*.csv']) }}
{%- endmacro %}

{% macro vars_of_tables() -%}
    {{ return([
        'report_timezone', 'daily_tables_from',
        'incentive_sla_days', 'invitation_cooldown_days', 'participation_cooldown_days',
        'bulk_edit_min', 'late_cancellation_hours',
        'silence_min_hours', 'silence_times_usual', 'silence_usual_days', 'silence_history_days',
        'test_id_prefix',
    ]) }}
{%- endmacro %}

{#- The query that gives it. -#}
{% macro fingerprint(files, values) -%}{{ return(adapter.dispatch('fingerprint')(files, values)) }}{%- endmacro %}
{% macro duckdb__fingerprint(files, values) -%}
    select md5(concat(
        {% for name, value in values | dictsort %}'{{ name }}={{ value | string | replace("'", "''") }};', {% endfor %}
        string_agg(md5(content), ',' order by md5(content))
    ))
    from read_text([{% for file in files %}'{{ file | replace("'", "''") }}'{{ ", " if not loop.last }}{% endfor %}])
{%- endmacro %}
