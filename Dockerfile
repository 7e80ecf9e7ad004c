# syntax=docker/dockerfile:1
# Cohort's processes (`cohort bot`, `cohort worker`, ...) from the hash-locked requirements, as an ordinary user.
FROM python:3.13-slim AS build
COPY tools/uv.txt /build/
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r /build/uv.txt
ENV UV_CACHE_DIR=/cache UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
RUN /opt/uv/bin/uv venv --python /usr/local/bin/python /opt/cohort
COPY requirements.txt requirements-build.txt /build/
RUN --mount=type=cache,target=/cache \
    /opt/uv/bin/uv pip install --python /opt/cohort/bin/python --no-deps --require-hashes -r /build/requirements.txt
WORKDIR /build/src
COPY pyproject.toml README.md LICENSE ./
COPY tasks tasks
COPY botapi botapi
COPY bot bot
COPY workers workers
COPY ops ops
COPY playground playground
RUN --mount=type=cache,target=/cache \
    /opt/uv/bin/uv pip install --python /opt/cohort/bin/python --no-deps \
        --build-constraints /build/requirements-build.txt .

FROM python:3.13-slim
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
