# The CPU image is the default target (the last stage); `--target gpu` builds the one for NVIDIA GPUs.
#
# PYTHON_IMAGE may be given with its digest (docs/operations.md).
#
# The CPU image has no torch: it runs the exported networks of a bundle in ONNX Runtime.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# rasterio's wheel expects this library of the system.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libexpat1 && rm -rf /var/lib/apt/lists/* /var/cache/apt
WORKDIR /app

# --- Dependencies, apart from the code: these large layers change only with the files that name them.
FROM base AS builder
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/venv/bin:$PATH
RUN python -m venv /opt/venv
COPY constraints.txt pyproject.toml ./
COPY docker docker

FROM builder AS cpu-dependencies
# Further extras: milvus for an index in a database, geo for GeoPackages, which bring a second GDAL.
ARG EXTRAS=
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends binutils
# Nobody installs, tests or debugs in the image, and what is left is compiled here: it cannot be at the first use.
# hadolint ignore=SC2086
RUN python docker/dependencies.py raster ${EXTRAS} > requirements.txt \
    && pip install --no-compile -c constraints.txt -r requirements.txt \
    && pip uninstall --yes setuptools pip \
    && python docker/slim.py

FROM builder AS gpu-dependencies
RUN python docker/dependencies.py geo gpu > requirements.txt && pip install -c constraints.txt -r requirements.txt

# --- What every image has beside its dependencies: the code, a user without rights, one writable folder.
FROM base AS runtime
ENV PATH=/opt/venv/bin:$PATH CLNET_HOST=0.0.0.0 CLNET_DATA=/data TMPDIR=/data/tmp HOME=/data/tmp
RUN useradd --system --uid 10001 --no-create-home clnet && mkdir -p /data/tmp /spool && chown -R clnet /data /spool
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# Making the demo region takes minutes at the first start; /healthz answers meanwhile, /readyz says how far it is.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30m --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:%s/readyz' % os.environ.get('CLNET_PORT', 8000), timeout=4)"]
USER 10001
ENTRYPOINT ["python", "-m", "service"]
CMD ["up"]

FROM runtime AS gpu
COPY --from=gpu-dependencies /opt/venv /opt/venv
COPY model model
COPY indexer indexer
COPY service service
COPY clnet_geolocalization.py ./

FROM runtime AS cpu
COPY --from=cpu-dependencies /opt/venv /opt/venv
COPY model model
COPY indexer indexer
COPY service service
COPY clnet_geolocalization.py ./
