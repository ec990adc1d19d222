"""Messages scored from topic to topic, against a bare client and Beam: python -m benchmarks.stream.

Needs Prism (make prism), Java, and gcloud's Pub/Sub emulator.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

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


def rate(sink: Channel, number: int) -> float:
    """Messages a second that arrive, from the first on."""
    found, first, start = 0, 0, 0.0
    while found < number:
        pulled = sink.pull()
        sink.acknowledge([message.ack_id for message in pulled])
        if pulled and not found:
            start, first = time.perf_counter(), len(pulled)
        found += len(pulled)
    return (found - first) / (time.perf_counter() - start)


def score(source: Channel, sink: Channel, dead: Path) -> "subprocess.Popen[bytes]":
    """Starts a job that scores from topic to topic."""
    flags = [f"--input={source.source}", f"--output={sink.sink}", f"--dead_letters={dead}/"]
    return subprocess.Popen([*SCORE, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def end(job: "subprocess.Popen[bytes]") -> None:
    """Drains a job."""
    job.send_signal(signal.SIGINT)
    job.wait(120)


def beam(source: Channel, seconds: float) -> float:
    """Messages a second that Beam's own ReadFromPubSub gives on its local runner."""
    code = BEAM.format(subscription=source.subscription, seconds=seconds)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return float(done.stdout.split()[-1])


BEAM = """
import os, threading, time
import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
seen = []
def note(_):
    seen.append(time.perf_counter())
def report():
    print((len(seen) - 1) / (seen[-1] - seen[0]), flush=True)
    os._exit(0)
threading.Timer({seconds} + 5, report).start()
options = PipelineOptions(streaming=True, runner="BundleBasedDirectRunner")
root = beam.Pipeline(options=options)
_ = root | beam.io.ReadFromPubSub(subscription="{subscription}") | beam.Map(note)
root.run().wait_until_finish()
"""


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
    job = score(source, sink, Path(".cache/bench/stream-dead"))
    rates["millrace"] = rate(sink, number)
    end(job)
    source = Channel("beam-in")
    source.publish(messages[:3000])
    rates["Beam's read alone"] = beam(source, 10)
    for name, value in rates.items():
        print(f"{name:20}{value:12,.0f} messages/s{rates['millrace'] / value:8.2f}")


def latency(a_second: int, seconds: float) -> None:
    """Prints how long after its publication a message's score is published."""
    source, sink = Channel(f"late-in-{a_second}"), Channel(f"late-out-{a_second}")
    job = score(source, sink, Path(".cache/bench/stream-dead"))
    (data,) = payloads(1)
    send(source, data, a_second, 15.0)
    sent = send(source, data, a_second, seconds)
    waits = [
        message.publish_time.seconds + message.publish_time.nanos / 1e9 - sent[name]
        for message in sink.drain()
        if (name := message.attributes["source_message_id"]) in sent
    ]
    end(job)
    p50, p99 = 1000 * np.quantile(waits, [0.5, 0.99])
    missing = len(sent) - len(waits)
    print(f"{a_second:>6} messages/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms; {missing} missing")


def send(source: Channel, data: bytes, a_second: int, seconds: float) -> dict[str, float]:
    """Publishes at a steady rate, in small calls; returns when each message was sent."""
    burst, sent = max(1, a_second // 50), {}
    start = time.perf_counter()
    while len(sent) < a_second * seconds:
        now = time.time()
        sent |= dict.fromkeys(source.publish([data] * burst), now)
        time.sleep(max(0.0, start + len(sent) / a_second - time.perf_counter()))
    return sent


def main() -> None:
    """Prints every table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    start = command()
    if start is None:
        sys.exit("needs Java, gcloud's pubsub-emulator and Prism (make prism)")
    with running(start) as host:
        os.environ["PUBSUB_EMULATOR_HOST"] = host
        throughput(options.messages)
        for a_second in (10, 100, 1000):
            latency(a_second, options.seconds)


if __name__ == "__main__":
    main()
