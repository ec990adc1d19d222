#!/usr/bin/env bash
# Builds templates/Dockerfile for real, without an engine or Google's registry, and lets a worker of
# what was built score a file for Prism. Needs root, buildah, debootstrap, Go, Prism (make prism).
#
# The images that the Dockerfile pulls are stood in for, under their names:
#   python:3.11-slim-bookworm      Debian's bookworm with its Python 3.11
#   apache/beam_python3.11_sdk     Beam's boot program, built of its Go module at our version
#   ...template-launcher-base      a script in the place of Google's launcher, which is not public
# usage: rehearse-image.sh [FOLDER]
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/.image-rehearsal}
python=$root/.venv/bin/python
job=score tag=millrace-rehearsal:latest
mkdir -p "$folder"
export PYTHONPATH=$root BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs

for program in buildah debootstrap go; do
    command -v "$program" >/dev/null || { echo "$program is needed: apt install buildah debootstrap golang" >&2; exit 2; }
done
beam=$(sed -n 's/^ARG BEAM_VERSION=//p' "$root/templates/Dockerfile")
launcher=$(sed -n 's/^ARG LAUNCHER_TAG=//p' "$root/templates/Dockerfile")
buildah() { command buildah --root "$folder/storage" --runroot "$folder/run" "$@"; }
has() { buildah inspect --type image "$1" >/dev/null 2>&1; }

stand_in() { # NAME FOLDER: an image of what is in the folder
    local made
    made=$(buildah from scratch)
    buildah add -q "$made" "$2" / >/dev/null
    buildah commit -q --rm "$made" "$1" >/dev/null
    echo "stand-in: $1"
}

base=docker.io/library/python:3.11-slim-bookworm
has "$base" || {
    rm -rf "$folder/base"
    debootstrap --variant=minbase --include=python3.11,python3-pip,ca-certificates \
        bookworm "$folder/base" http://deb.debian.org/debian >"$folder/debootstrap.log"
    ln -sf python3.11 "$folder/base/usr/bin/python"
    # Debian keeps its own packages from pip; the image that this stands for does not.
    rm -f "$folder"/base/usr/lib/python3*/EXTERNALLY-MANAGED
    [ ! -f /etc/ssl/certs/ca-certificates.crt ] ||
        cp /etc/ssl/certs/ca-certificates.crt "$folder/base/etc/ssl/certs/ca-certificates.crt"
    rm -rf "$folder/base/var/cache/apt"
    stand_in "$base" "$folder/base"
    rm -rf "$folder/base"
}
sdk=docker.io/apache/beam_python3.11_sdk:$beam
has "$sdk" || {
    mkdir -p "$folder/sdk/opt/apache/beam"
    GOBIN=$folder/bin go install "github.com/apache/beam/sdks/v2/python/container@v$beam"
    cp "$folder/bin/container" "$folder/sdk/opt/apache/beam/boot"
    stand_in "$sdk" "$folder/sdk"
}
template=gcr.io/dataflow-templates-base/python311-template-launcher-base:$launcher
has "$template" || {
    mkdir -p "$folder/launcher/opt/google/dataflow"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nexec python "$FLEX_TEMPLATE_PYTHON_PY_FILE" "$@"\n' \
        >"$folder/launcher/opt/google/dataflow/python_template_launcher"
    chmod +x "$folder/launcher/opt/google/dataflow/python_template_launcher"
    stand_in "$template" "$folder/launcher"
}

echo "build: every step of templates/Dockerfile"
begun=$SECONDS
buildah build --isolation chroot --pull-never --layers --file "$root/templates/Dockerfile" \
    --build-arg JOB=$job --build-arg IMAGE=$tag --tag $tag \
    --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    "$root" >"$folder/build.log" 2>&1 || { tail -n 40 "$folder/build.log" >&2; exit 1; }
echo "build: $((SECONDS - begun)) s"

made=$(buildah from --pull-never $tag)
trap 'buildah rm "$made" >/dev/null 2>&1 || true' EXIT
run() { buildah run --isolation chroot --volume "$folder/data:$folder/data" "$@"; }

mkdir -p "$folder/data"
echo "launcher: the entry point without a worker's flags"
run "$made" -- /opt/template/entrypoint.sh --version

echo "worker: scores a file for Prism"
exec "$python" "$root/templates/rehearse_worker.py" "$folder/data" -- \
    buildah --root "$folder/storage" --runroot "$folder/run" \
    run --isolation chroot --volume "$folder/data:$folder/data" "$made" -- /opt/template/entrypoint.sh
