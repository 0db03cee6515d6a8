# syntax=docker/dockerfile:1
# One static binary and the shipped configurations, for any platform that Go builds for:
#
#   docker buildx build --platform linux/amd64,linux/arm64 -t ghcr.io/quantivista/otelcol-quantivista:0.1.0 .
#   docker run -p 127.0.0.1:8090:8090 -p 127.0.0.1:4317:4317 -p 127.0.0.1:4318:4318 -v quantivista:/var/lib/quantivista \
#     ghcr.io/quantivista/otelcol-quantivista:0.1.0

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH make build
# Where it keeps its state: a volume takes the owner from here.
RUN mkdir -p /state/logs /state/rules /state/targets

# Certificates, a user without rights, and nothing else: no shell, no libc.
FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="QuantiVista Monitoring" \
      org.opencontainers.image.description="An OpenTelemetry Collector distribution that stores, queries and alerts" \
      org.opencontainers.image.source="https://github.com/quantivista/monitoring" \
      org.opencontainers.image.documentation="https://github.com/quantivista/monitoring/blob/main/docs/deploy.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY LICENSE /usr/share/doc/quantivista/copyright
COPY configs /etc/quantivista
COPY --from=build --chown=65532:65532 /state /var/lib/quantivista
COPY --from=build /src/bin/otelcol-quantivista /usr/bin/otelcol-quantivista
# In a container, localhost is the container's own: who may connect is up to what publishes the ports.
ENV LISTEN_HOST=0.0.0.0 \
    DATA_DIR=/var/lib/quantivista \
    LOG_FILES=/var/lib/quantivista/logs/*.log \
    RULE_FILES=/etc/quantivista/rules/*.yaml \
    ALERTMANAGER_CONFIG=/etc/quantivista/alertmanager.yaml
USER 65532:65532
WORKDIR /var/lib/quantivista
VOLUME /var/lib/quantivista
EXPOSE 3500 4317 4318 8090 13133
ENTRYPOINT ["/usr/bin/otelcol-quantivista"]
CMD ["--config=/etc/quantivista/all-in-one.yaml"]
