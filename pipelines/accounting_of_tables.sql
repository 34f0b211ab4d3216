-- The counts of accounting.sql, from audit tables that are up to date.
select 'lines' as outcome, coalesce(sum(lines), 0)::bigint as lines from audit.load_files
union all
select 'blank', coalesce(sum(blank), 0)::bigint from audit.load_files
union all
select 'accepted', coalesce(sum(accepted), 0)::bigint from audit.load_files
union all
select 'other_event', coalesce(sum(other_events), 0)::bigint from audit.load_files
union all
select 'distinct_changes', count(*) from staging.stg_changes
union all
select reason, count(*) from audit.rejected_lines group by reason
union all
select 'batch_lines', coalesce(sum(batch_lines), 0)::bigint from audit.load_files
union all
select 'batch_deliveries', coalesce(sum(batch_deliveries), 0)::bigint from audit.load_files
union all
select 'forgotten', coalesce(sum(forgotten_lines), 0)::bigint from audit.load_files
