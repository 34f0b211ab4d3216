{#- Overrides dbt's macro of this name, which dbt calls for each row of a fixture. Fixtures stay readable: they have ids
    where models have keys, and names where models have ranks of statuses, stages and steps. -#}

{% macro format_row(row, column_name_to_data_types) %}
    {%- set names = names_in_order() -%}
    {%- set formatted = {} -%}
    {%- set as_written = {} -%}
    {%- for column, written in row.items() -%}
        {%- set value = with_seconds(written) if written is string and ':' in written else written -%}
        {%- for name, kind in columns_of_fixture(column, row, column_name_to_data_types, names).items() -%}
            {%- if kind == 'key' and value is string -%}
                {%- do formatted.update({name: id_key(dbt.string_literal(dbt.escape_single_quotes(value)))}) -%}
            {%- elif kind == 'rank' and (value is none or value in names) -%}
                {%- do formatted.update({name: dbt.safe_cast(names.get(value, 0), column_name_to_data_types[name])}) -%}
            {%- else -%}
                {%- do formatted.update({name: none}) -%}{#- keeps its position; dbt fills it below -#}
                {%- do as_written.update({name: value}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do formatted.update(dbt.format_row(as_written, column_name_to_data_types)) -%}
    {{ return(formatted) }}
{% endmacro %}

{#- Adds seconds to a time in a fixture that has only minutes. Spark requires them. -#}
{% macro with_seconds(value) %}
    {{ return(modules.re.sub('^(\\d+-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d)(Z|[+-]\\d\\d(:?\\d\\d)?)$', '\\1:00\\2', value)) }}
{% endmacro %}

{#- The model's columns that a column of a fixture fills: itself, and the key or rank derived from it. Each is mapped to
    what it holds. -#}
{% macro columns_of_fixture(column, row, column_name_to_data_types, names) %}
    {%- set ranks = {
        'status': 'status_rank', 'prior_status': 'prior_rank', 'status_before': 'rank_before',
        'from_status': 'prior_rank', 'to_status': 'status_rank', 'current_status': 'status_rank',
        'stage': 'stage_order', 'current_stage': 'stage_order', 'furthest_step': 'furthest_step_order', 'prior_status_after': 'prior_rank_after',
    } -%}
    {%- set found = {} -%}
    {%- if column in column_name_to_data_types -%}
        {%- set kind = 'key' if column.endswith('_key') and column != 'stage_key' else 'rank' if column in ranks.values() else 'text' -%}
        {%- do found.update({column: kind}) -%}
    {%- endif -%}
    {%- set is_known = row[column] is none or row[column] in names -%}
    {%- if is_known and ranks.get(column) in column_name_to_data_types and ranks[column] not in row -%}
        {%- do found.update({ranks[column]: 'rank'}) -%}
    {%- endif -%}
    {%- if column.endswith('_id') and column[:-3] ~ '_key' in column_name_to_data_types -%}
        {%- do found.update({column[:-3] ~ '_key': 'key'}) -%}
    {%- endif -%}
    {{ return(found or {column: 'text'}) }}
{% endmacro %}

{#- The ranks of statuses, stages and steps, as in the fixtures rally_….csv. They are written out, because computing them
    for each row takes seconds. -#}
{% macro names_in_order() %}
    {{ return({
        'NOT_STARTED': 1, 'NOT_ELIGIBLE': 2, 'INVITE_SENT': 3, 'SCREENER_STARTED': 4, 'SCREENER_COMPLETED': 5,
        'SCREENER_DISQUALIFIED': 6, 'SCREENER_QUALIFIED': 7, 'INTERVIEW_INVITE_SENT': 8, 'INTERVIEW_SCHEDULED': 9,
        'INTERVIEW_COMPLETED': 10, 'INTERVIEW_CANCELLED': 11, 'INTERVIEW_NO_SHOWED': 12, 'SURVEY_STARTED': 13,
        'SURVEY_COMPLETED': 14, 'INCENTIVE_SENT': 15, 'INCENTIVE_CLAIMED': 16, 'INCENTIVE_SKIPPED': 17,
        'UNMODERATED_TEST_INVITE_SENT': 18, 'UNMODERATED_TEST_STARTED': 19, 'UNMODERATED_TEST_COMPLETED': 20,
        'COMPLETED_STUDY': 21, 'CANCELLED': 22, 'OPTED_OUT': 23, 'EMAIL_SOFT_BOUNCED': 24, 'EMAIL_HARD_BOUNCED': 25,
        'Not Started': 1, 'Invited': 2, 'Screening': 3, 'In Progress': 4, 'Pending Incentive': 5, 'Done': 6,
        'Cancelled': 7,
        'added': 1, 'invited': 2, 'screener_started': 3, 'screener_completed': 4, 'qualified': 5,
        'activity_invited': 6, 'activity_started': 7, 'activity_completed': 8, 'incentive_sent': 9, 'incentive_claimed': 10,
    }) }}
{% endmacro %}
