with

described as (
    {{ optional_csv_file(
        var('studies_file'),
        {
            'study_id': dbt.type_string(),
            'study_name': dbt.type_string(),
            'study_type': dbt.type_string(),
            'incentives_enabled': 'boolean',
            'incentive_cents': 'integer',
            'participation_limit': 'integer',
            'closed_on': 'date',
        }
    ) }}
)

select * from described
where study_id is not null
