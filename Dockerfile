# The CPU image is the default target (the last stage); `--target gpu` builds the one for NVIDIA GPUs.
#
# PyPI's torch for x86-64 Linux carries CUDA libraries of several gigabytes that the CPU image never uses. Where a
# CPU-only torch wheel of the version in constraints.txt is at hand, hand over the index that has it:
#   docker build --build-arg TORCH_INDEX=<index with CPU wheels> .

FROM python:3.11-slim-bookworm AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# --- Dependencies, apart from the code: this large layer changes only with the two files that name them.
FROM base AS dependencies
ARG TORCH_INDEX=""
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY constraints.txt pyproject.toml ./
COPY docker/dependencies.py docker/
RUN if [ -n "$TORCH_INDEX" ]; then pip install -c constraints.txt --index-url "$TORCH_INDEX" torch torchvision; fi
RUN python docker/dependencies.py geo > requirements.txt && pip install -c constraints.txt -r requirements.txt

FROM dependencies AS gpu-dependencies
RUN pip uninstall -y faiss-cpu && python docker/dependencies.py geo gpu > requirements.txt \
    && pip install -c constraints.txt -r requirements.txt

# --- What every image has beside its dependencies: the code, a user without rights, one writable folder.
FROM base AS runtime
ENV PATH=/opt/venv/bin:$PATH CLNET_HOST=0.0.0.0 CLNET_DATA=/data TMPDIR=/data/tmp HOME=/tmp
RUN useradd --system --uid 10001 --no-create-home clnet && mkdir -p /data/tmp && chown -R clnet /data
COPY --chmod=a+rX docker/entry.sh /app/docker/entry.sh
COPY --chmod=a+rX model /app/model
COPY --chmod=a+rX indexer /app/indexer
COPY --chmod=a+rX service /app/service
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# The demo region takes minutes to make on first use; until then the service does not listen yet.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
USER clnet
ENTRYPOINT ["python", "-m", "service"]
CMD ["up"]

FROM runtime AS gpu
COPY --from=gpu-dependencies /opt/venv /opt/venv

FROM runtime AS cpu
COPY --from=dependencies /opt/venv /opt/venv
