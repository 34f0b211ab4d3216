with

rules as (
    select * from {{ ref('governance_rules') }}
),

rules_with_defaults as (
    select
        rule_id,
        coalesce(rule_name, rule_id) as rule_name,
        counts as judged_kind,
        coalesce(cooldown_after, counts) as counted_kind,
        -- A cooldown allows no further event. The limit is 1 where the event that began the cooldown counts itself.
        case
            when cooldown_after is null then at_most
            when cooldown_after = counts then 1
            else 0
        end as at_most,
        coalesce(
            within_days,
            case
                when cooldown_after in ('invitation', 'study_invitation') then {{ var('invitation_cooldown_days') }}
                when cooldown_after is not null then {{ var('participation_cooldown_days') }}
            end
        ) as within_days
    from rules
)

select * from rules_with_defaults
where at_most is not null and within_days is not null
