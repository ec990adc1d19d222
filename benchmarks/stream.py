"""Messages scored from topic to topic, against a bare client and Beam: python -m benchmarks.stream.

Needs Prism (make prism), Java, and gcloud's Pub/Sub emulator.
"""

import argparse
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Self

import numpy as np

from examples.trips import trips
from tests.integration.pubsub import Channel, command, running

COLUMNS = ("miles", "seconds", "fare", "hour", "payment", "company")
SCORE = [sys.executable, "-m", "beam_jobs.score", "--model=demo/model"]


def payloads(number: int) -> list[bytes]:
    """Trips as JSON."""
    rows = trips(number, seed=5).select(list(COLUMNS)).to_pylist()
    return [json.dumps(row).encode() for row in rows]


def bare(source: Channel, sink: Channel, number: int) -> None:
    """Pulls, acknowledges and publishes the same messages, and does nothing else."""
    left = number
    while left > 0:
        pulled = source.pull()
        sink.publish([message.message.data for message in pulled])
        source.acknowledge([message.ack_id for message in pulled])
        left -= len(pulled)


def rate(sink: Channel, number: int, job: "Job | None" = None) -> float:
    """Messages a second that arrive, from the first on."""
    found, first, start = 0, 0, 0.0
    while found < number:
        pulled = sink.pull()
        sink.acknowledge([message.ack_id for message in pulled])
        if pulled and not found:
            start, first = time.perf_counter(), len(pulled)
        found += len(pulled)
        if job is not None:
            job.check()
    return (found - first) / (time.perf_counter() - start)


class Job:
    """A job that scores from topic to topic, until it is drained."""

    def __init__(self, source: Channel, sink: Channel) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._said = open(f"{self._folder.name}/said", "w+")  # noqa: SIM115
        flags = [f"--input={source.source}", f"--output={sink.sink}"]
        self._process = subprocess.Popen(
            [*SCORE, *flags, f"--dead_letters={self._folder.name}/dead/"],
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(120)
        self._said.close()
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def check(self) -> None:
        """Raises what the job said, where it ended by itself."""
        if self._process.poll() is not None:
            self._said.seek(0)
            raise RuntimeError(self._said.read())


def beam(source: Channel, sink: Channel | None = None) -> float:
    """Messages a second of Beam's own job on its local runner: read, or from topic to topic."""
    names = [source.subscription, *([sink.topic] if sink else [])]
    command = [sys.executable, "-m", "benchmarks.peers.beam_stream", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def throughput(number: int) -> None:
    """Prints the rates and their ratios."""
    messages = payloads(number)
    rates = {}
    source, sink = Channel("bare-in"), Channel("bare-out")
    source.publish(messages)
    threading.Thread(target=bare, args=(source, sink, number), daemon=True).start()
    rates["bare client"] = rate(sink, number)
    source, sink = Channel("score-in"), Channel("score-out")
    source.publish(messages)
    with Job(source, sink) as job:
        rates["millrace"] = rate(sink, number, job)
    source = Channel("beam-read")
    source.publish(messages)
    rates["Beam's read alone"] = beam(source)
    source, sink = Channel("beam-in"), Channel("beam-out")
    source.publish(messages)
    rates["Beam's whole job"] = beam(source, sink)
    for name, value in rates.items():
        print(f"{name:20}{value:12,.0f} messages/s{rates['millrace'] / value:8.2f}")


def latency(a_second: int, seconds: float) -> None:
    """Prints how long after its publication a message's score is published."""
    source, sink = Channel(f"late-in-{a_second}"), Channel(f"late-out-{a_second}")
    messages = payloads(1000)
    with Job(source, sink) as job:
        send(source, messages, a_second, 15.0)
        job.check()
        sent = send(source, messages, a_second, seconds)
        waits = [
            message.publish_time.seconds + message.publish_time.nanos / 1e9 - sent[name]
            for message in sink.drain()
            if (name := message.attributes["source_message_id"]) in sent
        ]
    p50, p99 = 1000 * np.quantile(waits, [0.5, 0.99])
    missing = len(sent) - len(waits)
    print(f"{a_second:>6} messages/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms; {missing} missing")


def send(source: Channel, messages: list[bytes], a_second: int, seconds: float) -> dict[str, float]:
    """Publishes at a steady rate, in small calls; returns when each message was sent."""
    burst, sent = max(1, a_second // 50), {}
    around = itertools.cycle(messages)
    start, total = time.perf_counter(), int(a_second * seconds)
    while len(sent) < total:
        now = time.time()
        some = itertools.islice(around, min(burst, total - len(sent)))
        sent |= dict.fromkeys(source.publish(list(some)), now)
        time.sleep(max(0.0, start + len(sent) / a_second - time.perf_counter()))
    return sent


@contextlib.contextmanager
def emulator() -> Iterator[None]:
    """Runs the Pub/Sub emulator, to which all clients talk."""
    start = command()
    if start is None:
        sys.exit("needs Java, gcloud's pubsub-emulator and Prism (make prism)")
    with running(start) as (host, _):
        os.environ["PUBSUB_EMULATOR_HOST"] = host
        yield


def main() -> None:
    """Prints every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with emulator():
        throughput(options.messages)
        for a_second in (10, 100, 1000):
            latency(a_second, options.seconds)


if __name__ == "__main__":
    main()
