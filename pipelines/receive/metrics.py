"""The metrics of the receiver, in Prometheus' format."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15)


class Metrics:
    """The counters of one receiver."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.answers = Counter(
            "studyflow_receive_answers", "Answers to deliveries.", ["status"], registry=self._registry
        )
        self.refusals = Counter(
            "studyflow_receive_refusals",
            "Deliveries answered with 401: headers (missing or malformed), time (more than 5 minutes off), signature.",
            ["reason"],
            registry=self._registry,
        )
        self.bytes = Counter(
            "studyflow_receive_stored_bytes", "Bytes of lines written to disk.", registry=self._registry
        )
        self.commits = Histogram(
            "studyflow_receive_commit_seconds",
            "Time to write and flush a group of lines.",
            buckets=COMMIT_SECONDS,
            registry=self._registry,
        )
        self.failures = Counter(
            "studyflow_receive_commit_failures",
            "Commits that failed because the disk did not accept them.",
            registry=self._registry,
        )
        self.last_delivery = Gauge(
            "studyflow_receive_last_delivery_timestamp_seconds",
            "When the last delivery arrived, in Unix time.",
            registry=self._registry,
        )
        self.skew = Gauge(
            "studyflow_receive_clock_skew_seconds",
            "Time at which the last delivery arrived, minus the time at which Svix sent it.",
            registry=self._registry,
        )
        self.free = Gauge("studyflow_receive_free_bytes", "Free disk space.", registry=self._registry)
        self.lines_today = Gauge(
            "studyflow_receive_lines_today", "Lines in today's files (UTC).", registry=self._registry
        )

    def render(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
