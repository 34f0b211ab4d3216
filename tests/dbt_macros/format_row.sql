{#- Fixtures of unit tests stay readable: where a model has the key of an id, or the rank of a status, a stage or a step, a
    fixture says the id or the name. dbt asks this for each row of a fixture. -#}

{% macro format_row(row, column_name_to_data_types) %}
    {%- set formatted = {} -%}
    {%- for column, written in row.items() -%}
        {%- set value = with_seconds(written) -%}
        {%- set columns = columns_of_fixture(column, row, column_name_to_data_types) -%}
        {%- for name, kind in columns.items() -%}
            {%- if kind == 'key' and value is string -%}
                {%- do formatted.update({name: id_key(dbt.string_literal(dbt.escape_single_quotes(value)))}) -%}
            {%- elif kind == 'rank' and (value is none or value in names_in_order()) -%}
                {%- do formatted.update({name: dbt.safe_cast(names_in_order().get(value, 0), column_name_to_data_types[name])}) -%}
            {%- else -%}
                {%- do formatted.update(dbt.format_row({name: value}, column_name_to_data_types)) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(formatted) }}
{% endmacro %}

{#- An instant of a fixture that is written to the minute, to the second: Spark reads no other. -#}
{% macro with_seconds(value) %}
    {%- if value is not string -%}{{ return(value) }}{%- endif -%}
    {{ return(modules.re.sub('^(\\d+-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d)(Z|[+-]\\d\\d(:?\\d\\d)?)$', '\\1:00\\2', value)) }}
{% endmacro %}

{#- The columns of the model that a column of a fixture gives, and what each holds: itself, and a key or rank made of it. -#}
{% macro columns_of_fixture(column, row, column_name_to_data_types) %}
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
    {%- set is_known = row[column] is none or row[column] in names_in_order() -%}
    {%- if is_known and ranks.get(column) in column_name_to_data_types and ranks[column] not in row -%}
        {%- do found.update({ranks[column]: 'rank'}) -%}
    {%- endif -%}
    {%- if column.endswith('_id') and column[:-3] ~ '_key' in column_name_to_data_types -%}
        {%- do found.update({column[:-3] ~ '_key': 'key'}) -%}
    {%- endif -%}
    {{ return(found or {column: 'text'}) }}
{% endmacro %}

{#- Statuses, stages and steps as the fixtures rally_….csv number them. -#}
{% macro names_in_order() %}
    {%- set names = {} -%}
    {%- for list in [
        [
            'NOT_STARTED', 'NOT_ELIGIBLE', 'INVITE_SENT', 'SCREENER_STARTED', 'SCREENER_COMPLETED', 'SCREENER_DISQUALIFIED',
            'SCREENER_QUALIFIED', 'INTERVIEW_INVITE_SENT', 'INTERVIEW_SCHEDULED', 'INTERVIEW_COMPLETED',
            'INTERVIEW_CANCELLED', 'INTERVIEW_NO_SHOWED', 'SURVEY_STARTED', 'SURVEY_COMPLETED', 'INCENTIVE_SENT',
            'INCENTIVE_CLAIMED', 'INCENTIVE_SKIPPED', 'UNMODERATED_TEST_INVITE_SENT', 'UNMODERATED_TEST_STARTED',
            'UNMODERATED_TEST_COMPLETED', 'COMPLETED_STUDY', 'CANCELLED', 'OPTED_OUT', 'EMAIL_SOFT_BOUNCED',
            'EMAIL_HARD_BOUNCED'
        ],
        ['Not Started', 'Invited', 'Screening', 'In Progress', 'Pending Incentive', 'Done', 'Cancelled'],
        [
            'added', 'invited', 'screener_started', 'screener_completed', 'qualified', 'activity_invited',
            'activity_started', 'activity_completed', 'incentive_sent', 'incentive_claimed'
        ],
    ] -%}
        {%- for name in list -%}{%- do names.update({name: loop.index}) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(names) }}
{% endmacro %}
