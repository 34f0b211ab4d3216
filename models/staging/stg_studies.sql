with

described as (
    {{ optional_csv_file(
        reference_file('studies'),
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
