"""Lets a worker of a built image score a file for Prism: rehearse_worker.py FOLDER -- COMMAND ...

The command runs the image's entry point; as a worker's it is given Beam's own flags.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PORT = 50000
"""Where Beam's boot program serves a pool of workers; it takes no other port."""
_SECONDS = 120


def main(argv: list[str]) -> int:
    """Makes a model and a file, starts the workers, scores, and looks at the scores."""
    folder, command = Path(argv[0]), argv[argv.index("--") + 1 :]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make_files(folder)
    with pool([*command, "--worker_pool"], folder / "worker.log"):
        score = [sys.executable, "-m", "beam_jobs.score", "--runner=PrismRunner"]
        flags = ["--environment_type=EXTERNAL", f"--environment_config=localhost:{PORT}"]
        places = [
            f"--input={folder}/in.parquet",
            f"--model={folder}/model",
            f"--output={folder}/out",
        ]
        done = subprocess.run([*score, *flags, *places], timeout=600)
    if done.returncode:
        print((folder / "worker.log").read_text()[-3000:], file=sys.stderr)
        return done.returncode
    scores = pq.read_table(folder / "out").column("score").to_pylist()
    assert scores == [2.0 * x for x in range(1000)], "the scores are wrong"
    # The job's environment is EXTERNAL: no other worker than the image's could have scored.
    print(f"{len(scores)} rows scored by a worker of the image")
    return 0


def make_files(folder: Path) -> None:
    """Writes a file of rows and a model that doubles a column."""
    import tensorflow as tf

    pq.write_table(pa.table({"x": pa.array(range(1000), pa.float32())}), folder / "in.parquet")
    module = tf.Module()
    numbers = tf.TensorSpec([None], tf.float32)
    module.serve = tf.function(lambda x: {"score": 2.0 * x}, input_signature=[numbers])
    signatures = {"serving_default": module.serve}
    tf.saved_model.save(module, str(folder / "model"), signatures=signatures)


@contextlib.contextmanager
def pool(command: list[str], log: Path) -> Iterator[None]:
    """Runs the pool of workers, and ends it and all of its processes."""
    with log.open("w") as told:
        process = subprocess.Popen(
            command, stdout=told, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_for(PORT, process)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), 1):
            return
        time.sleep(0.2)
    raise SystemExit("the pool of workers does not answer")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
