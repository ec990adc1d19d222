"""Jobs that are killed at random moments, and run again."""

import os
import random
import subprocess
import time

MOMENTS = int(os.environ.get("MILLRACE_KILLS", "20"))


def run_or_kill(command, code=0, seconds=None):
    """Whether a job ended, with this exit code; False where it was killed after so many seconds."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _, message = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    assert process.returncode == code, message
    return True


def killed_at_random_moments(command, folder, published, moments, code=0):
    """Kills a job that writes to `folder/out`: nothing half-made is seen, and it runs again as new.

    Args:
      command: The job.
      folder: Holds the inputs, and outputs below `out`.
      published: Reads the outputs in a folder; None if there are none.
      moments: How often to kill it.
      code: Its exit code.

    Returns: What the undisturbed run published.
    """
    start = time.monotonic()
    assert run_or_kill(command, code)
    whole = time.monotonic() - start
    before = sorted(path.name for path in folder.iterdir())
    expected = published(folder)
    draw, killed = random.Random(0), 0
    for _ in range(moments):
        subprocess.run(["rm", "-rf", folder / "out", folder / "out.dead_letters"], check=True)
        start = time.monotonic()
        if run_or_kill(command, code, draw.uniform(0.5, 1.0) * whole):
            # The first run took longer than runs take, as on a machine that was busy.
            whole = min(whole, time.monotonic() - start)
        found = published(folder)
        assert found in (None, expected), "something else was visible"
        if found is None:
            killed += 1
            assert run_or_kill(command, code)
            assert published(folder) == expected
    assert sorted(path.name for path in folder.iterdir()) == before, "something stayed behind"
    assert killed, "no kill came before the end"
    return expected
