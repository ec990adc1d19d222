"""What a user gives to run a job on Dataflow."""

from beam_jobs.running import runners

DATAFLOW = [
    "--runner=DataflowRunner",
    "--project=proj-12345",
    "--region=europe-west1",
    "--temp_location=gs://bucket/tmp",
    "--sdk_container_image=registry/score:1",
]


def options_of(*argv):
    """Beam's options, as the job `score` takes them from its command line."""
    return runners.pipeline_options(argv, "score")
