{{ visit_durations(ref('int_stage_visits'), 'stage') }}
