"""The metrics of the receiver, in Prometheus' format."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15)


class Metrics:
    """The counters of one receiver."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=self.registry), partial(Gauge, registry=self.registry)
        self.answers = counter("studyflow_receive_answers", "Answers to deliveries.", ["status"])
        self.refusals = counter(
            "studyflow_receive_refusals",
            "Deliveries answered with 401: headers (missing or malformed), time (more than 5 minutes off), signature.",
            ["reason"],
        )
        self.bytes = counter("studyflow_receive_stored_bytes", "Bytes of lines written to disk.")
        self.commits = Histogram(
            "studyflow_receive_commit_seconds",
            "Time to write and flush a group of lines.",
            buckets=COMMIT_SECONDS,
            registry=self.registry,
        )
        self.failures = counter(
            "studyflow_receive_commit_failures", "Commits that failed because the disk did not accept them."
        )
        self.last_delivery = gauge(
            "studyflow_receive_last_delivery_timestamp_seconds", "When the last delivery arrived, in Unix time."
        )
        self.skew = gauge(
            "studyflow_receive_clock_skew_seconds",
            "Time at which the last delivery arrived, minus the time at which Svix sent it.",
        )
        self.free = gauge("studyflow_receive_free_bytes", "Free disk space.")
        self.lines_today = gauge("studyflow_receive_lines_today", "Lines in today's files (UTC).")
