"""The image of a job's launcher and workers."""

import beam_jobs


def image_of(job: str) -> str:
    """Returns the name of a job's image, to be filled in: templates/Dockerfile builds it."""
    return f"REGION-docker.pkg.dev/PROJECT/millrace/{job}:{beam_jobs.__version__}"
