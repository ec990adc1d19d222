#!/bin/sh
# One image, two roles: Dataflow starts workers with Beam's Fn API flags, and the launcher without.
set -eu

python /opt/template/versions.py check
for argument in "$@"; do
    case $argument in
        --id=* | --logging_endpoint=* | --artifact_endpoint=* | --provision_endpoint=* | \
            --control_endpoint=* | --id | --provision_endpoint | --worker_pool)
            exec /opt/apache/beam/boot "$@"
            ;;
    esac
done
exec /opt/google/dataflow/python_template_launcher "$@"
