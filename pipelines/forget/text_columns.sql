-- All columns that can contain text, in relations of type $kind: relation and name as SQL, and whether it can be about
-- people.
select
    '"' || replace(table_schema, '"', '""') || '"."' || replace(table_name, '"', '""') || '"' as relation,
    '"' || replace(column_name, '"', '""') || '"' as name,
    -- not ids of studies, because a study may have the same id as a person
    column_name not in ('study_id', 'study_name') and table_schema <> 'reference' as is_of_people
from information_schema.columns
inner join information_schema.tables using (table_catalog, table_schema, table_name)
where
    table_type = $kind
    and table_catalog = current_database()
    and regexp_matches(data_type, 'VARCHAR|BLOB|JSON')
order by relation, ordinal_position
