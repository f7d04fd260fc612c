"""Waiting for the world to become as a test wants it."""

import re
import threading
import time


class NotYet(Exception):
    """Raised by a probe to say what is still missing; it becomes the failure's text."""


def wait_until(what, probe, timeout=60.0, interval=0.5):
    """Calls `probe` until it returns something true, and returns that.

    A false answer or an exception means "not yet": while pods restart, any call may fail. When
    `timeout` seconds have passed, fails with `what` was waited for and what the probe said last.

        wait_until("three members", lambda: len(members()) == 3)
        pod = wait_until("pod rmq-node-0", lambda: kubectl.get("pod", "rmq-node-0", "test"))
    """
    began = time.monotonic()
    while True:
        try:
            answer = probe()
            if answer:
                return answer
            last = f"answer: {answer!r}"
        except NotYet as missing:
            last = str(missing)
        except Exception as error:  # pylint: disable=broad-except
            last = f"{type(error).__name__}: {error}"
        passed = time.monotonic() - began
        if passed >= timeout:
            raise AssertionError(f"waited {passed:.0f} s for {what}; last seen: {last}")
        time.sleep(interval)


def first_match(process, stream, pattern, timeout=30):
    """What matched in the first line of a process's output that matches. A process that does not write one in
    time is killed: whoever reads from it would wait forever."""
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    try:
        said = []
        for line in stream:
            if found := re.search(pattern, line):
                return found
            said.append(line)
    finally:
        timer.cancel()
    raise AssertionError(f"{process.args[0]} ended, or said nothing like '{pattern}' within {timeout} s: {''.join(said)}")


def holds(what, probe, seconds, interval=0.5):
    """Fails when `probe` returns something false within `seconds`: for what must not happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert probe(), f"{what} no longer holds, {end - time.monotonic():.1f} s before the end"
        time.sleep(interval)
