{#- Fixtures of unit tests stay readable: where a model has the key of an id, or the rank of a status, a stage or a step, a
    fixture says the id or the name. dbt asks this for each row of a fixture. -#}

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
                {%- do formatted.update({name: none}) -%}{#- its place, for dbt to fill: rows are joined by position -#}
                {%- do as_written.update({name: value}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do formatted.update(dbt.format_row(as_written, column_name_to_data_types)) -%}
    {{ return(formatted) }}
{% endmacro %}

{#- An instant of a fixture that is written to the minute, to the second: Spark reads no other. -#}
{% macro with_seconds(value) %}
    {{ return(modules.re.sub('^(\\d+-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d)(Z|[+-]\\d\\d(:?\\d\\d)?)$', '\\1:00\\2', value)) }}
{% endmacro %}

{#- The columns of the model that a column of a fixture gives, and what each holds: itself, and a key or rank made of it. -#}
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

{#- Statuses, stages and steps as the fixtures rally_….csv number them. Written out: counting them for each row takes seconds. -#}
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
