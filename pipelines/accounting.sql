-- Counts of all loaded lines and deliveries, by outcome. $statuses: the known statuses.
with

judged as (
    select
        *,
        case
            when reason is not null then reason
            when participant_id is null then 'other_event'
            when status not in (select unnest($statuses)) then 'unknown_status'
            when prior_status not in (select unnest($statuses)) then 'unknown_prior_status'
            else 'accepted'
        end as outcome
    from raw.deliveries
),

changes as (
    select distinct participant_id, person_id, study_id, status, prior_status, updated_at
    from judged
    where outcome = 'accepted'
)

select 'lines' as outcome, coalesce(sum(lines), 0)::bigint as lines from raw.files
union all
select 'blank', coalesce(sum(blank_lines), 0)::bigint from raw.files
union all
select 'distinct_changes', count(*) from changes
union all
select outcome, count(*) from judged group by outcome
union all
select 'batch_lines', count(distinct (file_id, line_number)) from raw.deliveries where position > 0
union all
select 'batch_deliveries', count(*) from raw.deliveries where position > 0
union all
select 'forgotten', count(*) from raw.forgotten_lines
