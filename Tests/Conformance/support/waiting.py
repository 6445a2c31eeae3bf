"""Bounded waits."""

import time


class TookTooLong(AssertionError):
    """Something did not happen within its time."""


def eventually(what, condition, timeout=30.0, interval=0.1):
    """Asks until the answer is true, and returns it. `what` completes the sentence "… did not happen"; the last answer is told."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TookTooLong(f"within {timeout:g} s it did not happen that {what}; the last answer was {answer!r}")
        time.sleep(interval)
