# Dragoman with the embedded engines. `cpu` is for any machine, `gpu` has the library that CTranslate2 needs on an NVIDIA GPU
# and is otherwise the same (docs/gpu.md). Nothing is downloaded when it runs, unless DRAGOMAN_PULL asks for models: with
# `-e DRAGOMAN_PULL=es,fr -v models:/var/lib/dragoman` the first start pulls what these languages need (docs/models.md).
#
#   docker build --target cpu -t dragoman:cpu .
#   docker run --init -p 127.0.0.1:8000:8000 -e DRAGOMAN_API_KEYS=choose-one dragoman:cpu
#
#   docker build --target gpu -t dragoman:gpu .
#   docker run --init --gpus all -p 127.0.0.1:8000:8000 -e DRAGOMAN_API_KEYS=choose-one dragoman:gpu
#
# What gets installed is decided by scripts/setup.sh, here as on any other machine.

FROM python:3.12-slim-bookworm AS system
WORKDIR /src
COPY scripts/setup.sh scripts/setup.sh
# The script goes on when it cannot install, which a laptop may need; an image without its translator is a failed build.
RUN scripts/setup.sh system && command -v apertium && rm -rf /var/lib/apt/lists/*

FROM system AS build
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip \
    VENV=/opt/dragoman EDITABLE='' scripts/setup.sh python embedded

FROM system AS build-gpu
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip \
    VENV=/opt/dragoman EDITABLE='' scripts/setup.sh python embedded,gpu

FROM system AS runtime
LABEL org.opencontainers.image.title="Dragoman" \
      org.opencontainers.image.description="Self-hosted live speech translation" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"
RUN useradd --system --create-home --uid 10001 dragoman \
    && install -d -o dragoman -g dragoman /var/lib/dragoman
# Listening on every address is right inside a container. Without keys Dragoman then refuses to start, and this image
# does not talk it out of that: see docs/security.md. ONNX Runtime reports to its maker unless it is told not to.
ENV PATH="/opt/dragoman/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    DRAGOMAN_HOST=0.0.0.0 \
    DRAGOMAN_PORT=8000 \
    DRAGOMAN_MODELS_DIR=/var/lib/dragoman
WORKDIR /home/dragoman
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# The first start may pull models for minutes; the first answer that it is ready ends the start period.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15m --retries=3 \
    CMD ["python", "-c", "import os, sys; from http.client import HTTPConnection as C; c = C('127.0.0.1', int(os.environ['DRAGOMAN_PORT']), timeout=4); c.request('GET', '/ready'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["dragoman"]
CMD ["serve"]

# NVIDIA's container toolkit reads the first two. For newer GPUs the driver compiles what CTranslate2 brings, once, and keeps
# it in the volume.
FROM runtime AS gpu
COPY --from=build-gpu /opt/dragoman /opt/dragoman
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    CUDA_CACHE_PATH=/var/lib/dragoman/.cuda

FROM runtime AS cpu
COPY --from=build /opt/dragoman /opt/dragoman
