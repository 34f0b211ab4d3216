{#- A hash of everything that the tables depend on besides the deliveries and the as-of time: models, macros, reference
    tables, studies.csv, people.csv, vars, and the version of the engine (keys are hashes of the engine). If it differs
    from that of the last build, everything is rebuilt. -#}

{% macro fingerprint_of_project() %}
    {%- set values = [] -%}
    {%- for name in vars_of_tables() -%}{%- do values.append(name ~ '=' ~ var(name)) -%}{%- endfor -%}
    {%- set files = [setting('studies_file'), setting('people_file')] -%}
    {{- return('(' ~ fingerprint(files_of_project(), files, values) ~ ')') -}}
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
        'backtest_weeks', 'test_id_prefix',
    ]) }}
{%- endmacro %}
