"""What the processes of a local cluster are given: configuration, class path, command lines."""

import pathlib
from dataclasses import dataclass, field

_OPENS = ("java.lang", "java.util", "java.nio", "java.lang.invoke", "java.util.concurrent")
"""What Flink 1.19 reaches into; Java 17 keeps it closed."""

_ENTRY = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
_JOB_SERVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"


@dataclass(frozen=True)
class Settings:
    """Where a cluster lies and listens.

    Attributes:
      folder: What `flink/assemble` made; what the cluster writes goes into `run/` in it.
      python: The interpreter of the workers.
      slots: How many parts of a job run at once.
      rest: The port of Flink's console and REST interface.
      jobs: The port of Beam's job server, for `--job_endpoint`.
      artifacts: The port at which the job server takes files.
      workers: The port of the pool that starts Python workers, for `--environment_config`.
      rpc: The port at which the task managers find the job manager.
      name: The folder in `run/` of this cluster.
    """

    folder: pathlib.Path
    python: str
    slots: int = 2
    rest: int = 8081
    jobs: int = 8099
    artifacts: int = 8098
    workers: int = 50000
    rpc: int = 6123
    name: str = "default"
    python_path: str = field(default="")

    @property
    def place(self) -> pathlib.Path:
        """Where the cluster keeps its configuration, logs and process ids."""
        return self.folder / "run" / self.name

    def configuration(self) -> str:
        """Returns config.yaml.

        A task manager's memory is given part by part: derived from a total, its heap was too small
        for ten million rows. It listens on loopback only, for whoever reaches it can run code.
        """
        values = {
            "jobmanager.rpc.address": "localhost",
            "jobmanager.rpc.port": self.rpc,
            "jobmanager.bind-host": "localhost",
            "rest.address": "localhost",
            "rest.bind-address": "localhost",
            "rest.port": self.rest,
            "taskmanager.host": "localhost",
            "taskmanager.bind-host": "localhost",
            "taskmanager.numberOfTaskSlots": self.slots,
            "taskmanager.cpu.cores": float(self.slots),
            "taskmanager.memory.framework.heap.size": "128m",
            "taskmanager.memory.task.heap.size": "2432m",
            "taskmanager.memory.framework.off-heap.size": "128m",
            "taskmanager.memory.task.off-heap.size": "64m",
            "taskmanager.memory.network.min": "384m",
            "taskmanager.memory.network.max": "384m",
            "taskmanager.memory.managed.size": "512m",
            "taskmanager.memory.jvm-metaspace.size": "384m",
            "taskmanager.memory.jvm-overhead.min": "192m",
            "taskmanager.memory.jvm-overhead.max": "192m",
            "parallelism.default": self.slots,
            # A task manager that was killed is noticed within ten seconds, not fifty.
            "heartbeat.interval": 2000,
            "heartbeat.timeout": 10000,
            # Where slots are missing a job waits for them, and does not use up its retries.
            "slot.request.timeout": 120000,
            "resourcemanager.standalone.start-up-time": 30 * 86_400_000,
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": 10,
            "restart-strategy.fixed-delay.delay": "3 s",
            "io.tmp.dirs": str(self.place / "tmp"),
            "blob.storage.directory": str(self.place / "blobs"),
        }
        return "".join(f"{key}: {value}\n" for key, value in values.items())

    def commands(self) -> dict[str, list[str]]:
        """Returns the command lines of the processes, in the order in which they start."""
        place = str(self.place)
        job_server = {
            "flink-master": f"localhost:{self.rest}",
            "job-host": "localhost",
            "job-port": self.jobs,
            "artifact-port": self.artifacts,
            "expansion-port": -1,
            "artifacts-dir": f"{place}/artifacts",
            "flink-conf-dir": place,
        }
        pool = "apache_beam.runners.worker.worker_pool_main"
        return {
            "jobmanager": [*self._java("512m"), _ENTRY, "--configDir", place],
            "taskmanager": self.task_manager(),
            "jobserver": [
                *self._java("512m"),
                _JOB_SERVER,
                *(f"--{name}={value}" for name, value in job_server.items()),
            ],
            "workers": [self.python, "-m", pool, f"--service_port={self.workers}"],
        }

    def task_manager(self) -> list[str]:
        """Returns the command line of a task manager."""
        return [*self._java("2560m"), _TASK_MANAGER, "--configDir", str(self.place)]

    def _java(self, heap: str) -> list[str]:
        """Returns how Java is started.

        Out of memory, it ends: it would hang otherwise, and the job with it.
        """
        opens = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENS]
        path = f"{self.folder}/classes:{self.folder}/jars/*"
        log = ("-Dorg.slf4j.simpleLogger.showDateTime=true",)
        return ["java", f"-Xmx{heap}", "-XX:+ExitOnOutOfMemoryError", *opens, *log, "-cp", path]
