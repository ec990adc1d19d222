"""Logs: noise of libraries is dropped, errors are not."""

import json
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)


def test_noise_of_native_libraries_is_dropped_and_errors_are_not():
    done = python(
        "import os, sys, logging\nfrom beam_jobs.running import logs\n"
        "logs.set_up()\nlogs.filter_native()\n"
        "os.write(2, b'WARNING: All log messages before absl::InitializeLog() is called\\n"
        "I0000 00:00 1 port.cc:153] oneDNN custom operations are on.\\n"
        "W0000 00:00 1 local_rendezvous.cc:412] Local rendezvous: indices[1] = 31\\n"
        "\\t [[{{node GatherV2}}]]\\n"
        "F0000 00:00 1 x.cc:1] Check failed: real\\n')\n"
        "print('from Python', file=sys.stderr)\nlogging.warning('a warning')\n"
        "logging.getLogger('apache_beam.runners.common').error('told elsewhere')\n"
        "logging.getLogger('apache_beam.io').error('an error')\nlogging.info('chat')"
    )
    assert sorted(done.stderr.splitlines()) == [
        "ERROR: an error",
        "F0000 00:00 1 x.cc:1] Check failed: real",
        "WARNING: a warning",
        "from Python",
    ]


def test_what_beams_threads_say_when_the_runner_is_gone_is_dropped():
    done = python(
        "import threading, grpc\nfrom beam_jobs.running import logs\nlogs.quiet_workers()\n"
        "def fail(error):\n    raise error\n"
        "for error in (grpc.RpcError('gone'), KeyError('kept')):\n"
        "    thread = threading.Thread(target=fail, args=[error])\n"
        "    thread.start()\n    thread.join()\n"
    )
    assert "KeyError: 'kept'" in done.stderr
    assert "gone" not in done.stderr


def test_what_a_library_writes_as_it_aborts_is_not_lost():
    done = python(
        "import os\nfrom beam_jobs.running import logs\nlogs.filter_native()\n"
        "os.write(2, b'F0000 last words\\n')\nos.abort()"
    )
    assert done.returncode == -signal.SIGABRT
    assert "F0000 last words" in done.stderr


def test_a_templates_launcher_logs_json_with_a_severity():
    done = python(
        "import logging\nfrom beam_jobs.running import logs\nlogs.set_up_template()\n"
        "logging.info('made %s', 'it')\nlogging.error('two\\nlines')"
    )
    assert [json.loads(line) for line in done.stderr.splitlines()] == [
        {"severity": "INFO", "message": "made it"},
        {"severity": "ERROR", "message": "two\nlines"},
    ]
