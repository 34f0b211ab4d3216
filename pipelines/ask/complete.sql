-- Completions of $kind that begin with $typed, with their help texts.
with

words as (
    select 'study' as kind, study_id as word, study_name as said
    from marts.study_progress
    union all
    select 'study', study_name, study_id
    from marts.study_progress
    union all
    select 'participant', participant_id, null
    from marts.participants
    union all
    select distinct 'state', backlog_state, null
    from reference.incentive_effects
    union all
    select 'table', table_schema || '.' || table_name, null
    from information_schema.tables
    where table_schema in ('marts', 'audit', 'reference', 'raw')
)

select word, coalesce(said, '') as said
from words
where kind = $kind and starts_with(word, $typed)
order by word
limit $most
