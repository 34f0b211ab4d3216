"""Makes deliveries from changes: lines with a time of arrival. Some are repeated, late, lost or damaged."""

import json
from hashlib import sha256
from random import Random

from pipelines.generate.clock import DAY, HOUR, MINUTE, SECOND, stamp
from pipelines.generate.damage import REASONS, damaged
from pipelines.generate.journeys import Change
from pipelines.generate.people import IdSource
from pipelines.generate.recipe import Recipe, Tally

Line = tuple[int, str]
"""The time of arrival, and the text."""

RETRIES = (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR)
REPLAYED = 0.15
OTHER_OFFSET_WHEN_REPEATED = 0.1
OPT_OUT_HEARD = 0.6
# Harmless variants in every recipe, as cumulative shares.
BLANK = 0.001
ENVELOPED = 0.02
OTHER_OFFSET = 0.05
OFFSETS = ((2 * HOUR, "+02:00"), (-5 * HOUR, "-05:00"), (5 * HOUR + 30 * MINUTE, "+05:30"), (0, "+00:00"))


class Deliveries:
    """Appends the lines for changes of participants to `pending`, in no particular order."""

    def __init__(self, recipe: Recipe, ids: IdSource, random: Random, tally: Tally) -> None:
        self.pending: list[Line] = []
        self._recipe = recipe
        self._ids = ids
        self._random = random.random
        self._tally = tally
        self._damaged = 0
        tally.rejected = dict.fromkeys(REASONS, 0)

    def deliver(self, participant: str, person: str, study: str, changes: list[Change]) -> None:
        """Deliver a participant's changes, which are in order of time."""
        recipe, random = self._recipe, self._random
        head = (
            f'{{"_eventType":"participant.status_changed","participantId":"{participant}",'
            f'"personId":"{person}","studyId":"{study}","status":"'
        )
        prior = "null"
        before = 0
        final = len(changes) - 1
        self._tally.changes += len(changes)
        for number, (moment, status) in enumerate(changes):
            body = f'{head}{status}","priorStatus":{prior},"updatedAt":"'
            prior = f'"{status}"'
            if random() < recipe.lost:
                self._tally.lost += 1
                continue
            line = f'{body}{stamp(moment)}Z"}}'
            arrival = moment + 300 + int(random() * 1_500)
            if number < final and random() < recipe.late:
                self._tally.late += 1
                arrival = changes[number + 1][0] + self._lateness()
            else:
                arrival = before = max(arrival, before + 1)
            if random() < recipe.duplicates:
                self._repeat(body, moment, arrival)
            if random() < recipe.malformed:
                self._damage(line, arrival)
            variety = random()
            if variety < OTHER_OFFSET:
                line = self._vary(variety, line, body, moment, arrival)
            self.pending.append((arrival, line))
        if changes and changes[-1][1] == "OPTED_OUT" and random() < OPT_OUT_HEARD:
            moment = changes[-1][0]
            email, updated = f"{person[-8:]}@example.com", f"{stamp(moment)}Z"
            self._deliver_other(moment, _eventType="person.opted_out", email=email, optedOut=True, updatedAt=updated)

    def finish_import(self, moment: int) -> None:
        """Deliver the event for a finished import through Rally's API."""
        self._deliver_other(
            moment,
            _eventType="person_import.api.finished",
            importId=self._ids.make(moment),
            status="COMPLETED",
            updatedAt=f"{stamp(moment)}Z",
            failedRecords=None,
        )

    def _deliver_other(self, moment: int, **fields: object) -> None:
        self._tally.other_events += 1
        self.pending.append((moment + SECOND, json.dumps(fields, separators=(",", ":"))))

    def _lateness(self) -> int:
        """How long after the next change a late delivery arrives: a minute to two days, so later than the next one."""
        share = self._random()
        return MINUTE + int(share * share * 2 * DAY)

    def _repeat(self, body: str, moment: int, arrival: int) -> None:
        self._tally.repeated += 1
        if self._random() < REPLAYED:
            again = arrival + DAY + int(self._random() * 5 * DAY)
        else:
            again = arrival + RETRIES[int(self._random() * len(RETRIES))]
        has_offset = self._random() < OTHER_OFFSET_WHEN_REPEATED
        updated_at = self._with_offset(moment) if has_offset else f"{stamp(moment)}Z"
        self.pending.append((again, f'{body}{updated_at}"}}'))

    def _damage(self, line: str, arrival: int) -> None:
        reason, text = damaged(line, self._damaged)
        self._damaged += 1
        self._tally.rejected[reason] += 1
        self.pending.append((arrival + int(self._random() * MINUTE), text))

    def _vary(self, variety: float, line: str, body: str, moment: int, arrival: int) -> str:
        """A variant of a line: in an envelope, with another offset, or after a blank line."""
        if variety < BLANK:
            self._tally.blank += 1
            self.pending.append((arrival, ""))
            return line
        return envelope((arrival, line)) if variety < ENVELOPED else f'{body}{self._with_offset(moment)}"}}'

    def _with_offset(self, moment: int) -> str:
        """The time with an offset other than Z."""
        ahead, offset = OFFSETS[int(self._random() * len(OFFSETS))]
        return stamp(moment + ahead) + offset


def envelope(line: Line) -> str:
    """A line in the receiver's envelope.

    The message id is a hash of the payload, because Svix keeps the id of a message when it retries.
    """
    arrival, payload = line
    message = sha256(payload.encode("latin-1")).hexdigest()[:26]
    return f'{{"svix_id":"msg_{message}","received_at":"{stamp(arrival)}Z","payload":{payload}}}'
