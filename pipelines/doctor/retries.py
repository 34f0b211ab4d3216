"""What Svix does after an outage of the receiver, and what users must do."""

from datetime import datetime, timedelta

from pipelines.plain import instant

RETRIES = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000))
"""The waiting times between Svix's attempts to deliver a webhook."""
RETRY_PERIOD = sum(RETRIES, timedelta())
DISABLED_AFTER = timedelta(days=5)
PORTAL = "the endpoint's page in Rally's webhook portal"


def after_outage(since: datetime, now: datetime) -> str:
    """What happens to deliveries that failed since then, and what to do."""
    retry_period = f"{RETRY_PERIOD.total_seconds() / 3600:.1f} hours"
    if now - since < RETRY_PERIOD:
        return (
            f"If the receiver has been down since {instant(since)}, you need not replay anything: Svix keeps trying for "
            f"{retry_period}, with pauses of up to 10 hours."
        )
    advice = (
        f"If the receiver has been down since {instant(since)}, deliveries from before {instant(now - RETRY_PERIOD)} are marked "
        f"as failed, because Svix gives up after {retry_period}. Replay them: on {PORTAL}, recover failed messages since "
        f"{instant(since)}. A delivery that arrives twice counts once."
    )
    if now - since >= DISABLED_AFTER:
        advice += " After 5 days Svix disables an endpoint: enable it again there first."
    return advice
