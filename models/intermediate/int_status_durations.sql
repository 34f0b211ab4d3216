{{ visit_durations(ref('int_status_visits'), 'status') }}
