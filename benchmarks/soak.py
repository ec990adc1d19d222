"""Memory of a job that scores from topic to topic for a while: python -m benchmarks.soak.

Needs Prism (make prism), Java, and gcloud's Pub/Sub emulator.
"""

import argparse
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.stream import Job, emulator, payloads, send
from tests.integration.pubsub import Channel

WARM_UP = 660.0
"""Seconds before the first sample: by then ids of messages are forgotten as fast as new ones come,
after the default horizon of 600 s."""


def resident(pid: int) -> dict[str, float]:
    """MiB in memory of a process and its children, by the program's name."""
    found: dict[str, float] = {}
    todo = [pid]
    while todo:
        this = Path(f"/proc/{todo.pop()}")
        name, pages = (this / "comm").read_text().strip(), (this / "statm").read_text().split()[1]
        found[name] = found.get(name, 0.0) + int(pages) * 4096 / 2**20
        for task in this.glob("task/*/children"):
            todo += map(int, task.read_text().split())
    return found


def grown(times: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """The mean of sizes, and by what part of it they grew from the first to the last."""
    slope = float(np.polyfit(times, sizes, 1)[0])
    mean = float(sizes.mean())
    return mean, slope * float(times[-1] - times[0]) / mean


def main() -> None:
    """Prints memory by process once in a while, and how it grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--a_second", type=int, default=1000, help="messages a second")
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    with emulator():
        soak(options.a_second, 60 * options.minutes)


def soak(a_second: int, seconds: float) -> None:
    """Publishes at a steady rate, reads what comes of it, and looks at the job's memory."""
    source, sink = Channel("soak-in"), Channel("soak-out")
    messages, samples, out = payloads(1000), [], []
    with Job(source, sink) as job:
        work = [
            threading.Thread(
                target=send, args=(source, messages, a_second, WARM_UP + seconds), daemon=True
            ),
            threading.Thread(target=lambda: out.append(len(sink.drain(20.0))), daemon=True),
        ]
        for thread in work:
            thread.start()
        time.sleep(WARM_UP)
        began = time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            job.check()
            samples.append((now, resident(job.pid)))
            print(f"{now:6.0f} s  {told(samples[-1][1])}", flush=True)
            time.sleep(15.0)
        for thread in work:
            thread.join()
    times = np.array([at for at, _ in samples])
    total = np.array([sum(sizes.values()) for _, sizes in samples])
    mean, part = grown(times, total)
    print(f"mean {mean:,.0f} MiB, grown by {part:.2%} in {seconds / 60:.0f} minutes")
    print(f"{a_second * (WARM_UP + seconds):,.0f} messages in, {out[0]:,} out")


def told(sizes: dict[str, float]) -> str:
    """Memory by program, in words."""
    return "  ".join(f"{name} {size:,.0f} MiB" for name, size in sizes.items())


if __name__ == "__main__":
    main()
