# Dragoman on CPU, with the embedded engines: nothing is downloaded when it runs.
#
#   docker build --target cpu -t dragoman:cpu .
#   docker run --init -p 127.0.0.1:8000:8000 -e DRAGOMAN_API_KEYS=choose-one dragoman:cpu
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

FROM system AS cpu
LABEL org.opencontainers.image.title="Dragoman" \
      org.opencontainers.image.description="Self-hosted live speech translation" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"
RUN useradd --system --create-home --uid 10001 dragoman \
    && install -d -o dragoman -g dragoman /var/lib/dragoman
COPY --from=build /opt/dragoman /opt/dragoman
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
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, sys; from http.client import HTTPConnection as C; c = C('127.0.0.1', int(os.environ['DRAGOMAN_PORT']), timeout=4); c.request('GET', '/ready'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["dragoman"]
CMD ["serve"]
