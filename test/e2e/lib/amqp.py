"""Publishing and consuming, in a way that shows what was lost.

Every message carries a number. A `Publisher` keeps those that the broker confirmed; whatever
`consume_all` does not find of them later is lost.

    with Publisher(address, queue="orders", user="root", password=secret) as publisher:
        ...                                   # break something
    assert publisher.longest_gap < 5
    assert not publisher.confirmed - consume_all(address, "orders", "root", secret)
"""

import threading
import time

import pika
import pika.exceptions

_ERRORS = (pika.exceptions.AMQPError, OSError)


def connect(host, user, password, port=5672, vhost="/", timeout=5.0):
    """A connection; the caller closes it."""
    return pika.BlockingConnection(pika.ConnectionParameters(
        host=host, port=port, virtual_host=vhost, credentials=pika.PlainCredentials(user, password),
        socket_timeout=timeout, stack_timeout=timeout, blocked_connection_timeout=timeout, heartbeat=10))


class Publisher:
    """Publishes durable messages to one queue in a thread, and connects anew whenever that fails.

    confirmed     the numbers of the messages that the broker took
    failures      (seconds since the start, what went wrong) for each attempt that failed
    longest_gap   the longest time between two confirms, in seconds
    """

    def __init__(self, host, queue, user, password, port=5672, vhost="/", arguments=None, interval=0.02):
        self._connect = lambda: connect(host, user, password, port, vhost)
        self._queue = queue
        self._arguments = arguments or {}
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"publisher of {queue}", daemon=True)
        self._next = 0
        self.confirmed = set()
        self.failures = []
        self.longest_gap = 0.0

    def __enter__(self):
        self._began = self._last_confirm = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(timeout=30)
        assert not self._thread.is_alive(), "the publisher hangs"

    def _run(self):
        while not self._stop.is_set():
            try:
                connection = self._connect()
                try:
                    self._publish(connection)
                finally:
                    if connection.is_open:
                        connection.close()
            except _ERRORS as error:
                self.failures.append((round(time.monotonic() - self._began, 2), repr(error)))
                self._stop.wait(0.2)

    def _publish(self, connection):
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(self._queue, durable=True, arguments=self._arguments)
        while not self._stop.is_set():
            number, self._next = self._next, self._next + 1  # a number is never used twice: it may have arrived
            channel.basic_publish("", self._queue, str(number).encode(),
                                  pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent), mandatory=True)
            now = time.monotonic()
            self.longest_gap = max(self.longest_gap, now - self._last_confirm)
            self._last_confirm = now
            self.confirmed.add(number)
            connection.sleep(self._interval)


def consume_all(host, queue, user, password, port=5672, vhost="/", quiet=2.0):
    """Takes all messages out of a queue, until none came for `quiet` seconds. Returns their numbers."""
    connection = connect(host, user, password, port, vhost)
    try:
        channel = connection.channel()
        numbers = set()
        for method, _, body in channel.consume(queue, inactivity_timeout=quiet):
            if method is None:
                return numbers
            numbers.add(int(body))
            channel.basic_ack(method.delivery_tag)
    finally:
        connection.close()
