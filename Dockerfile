# Cohort's processes (`cohort bot`, `cohort worker`, ...) from the hash-locked requirements, as an ordinary user.
# By digest (python tools/images.py --write renews it): the same bytes wherever it is built. No `# syntax` line, because that
# would fetch one more image, by tag; BuildKit's own frontend knows all that stands here.
ARG PYTHON_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
FROM ${PYTHON_IMAGE} AS build
COPY tools/uv.txt /build/
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r /build/uv.txt
ENV UV_CACHE_DIR=/cache UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
RUN /opt/uv/bin/uv venv --python /usr/local/bin/python /opt/cohort
COPY requirements.txt requirements-build.txt requirements-voice.txt /build/
RUN --mount=type=cache,target=/cache \
    /opt/uv/bin/uv pip install --python /opt/cohort/bin/python --no-deps --require-hashes -r /build/requirements.txt
# --build-arg VOICE=1: what converts voice messages (docs/conversations.md), 130 MB.
ARG VOICE=
RUN --mount=type=cache,target=/cache [ -z "$VOICE" ] || \
    /opt/uv/bin/uv pip install --python /opt/cohort/bin/python --no-deps --require-hashes -r /build/requirements-voice.txt
WORKDIR /build/src
COPY pyproject.toml README.md LICENSE ./
COPY cohort cohort
COPY tasks tasks
COPY botapi botapi
COPY bot bot
COPY workers workers
COPY ops ops
COPY playground playground
RUN --mount=type=cache,target=/cache \
    /opt/uv/bin/uv pip install --python /opt/cohort/bin/python --no-deps \
        --build-constraints /build/requirements-build.txt .

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin cohort \
    && install --directory --owner cohort --group cohort --mode 0700 /state \
    && install --directory --owner cohort --group cohort /app
COPY --from=build /opt/cohort /opt/cohort
ENV PATH=/opt/cohort/bin:$PATH PYTHONUNBUFFERED=1 COHORT_HOME=/state
WORKDIR /app
COPY --chown=root:root fastagent.config.yaml ./
COPY --chown=root:root agent-cards agent-cards
USER cohort
VOLUME /state
CMD ["cohort", "worker"]
