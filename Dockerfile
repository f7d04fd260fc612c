# The operator's image. For everybody: `docker build .` compiles it on Debian 12.
#   --build-arg VERSION=1.2.3        what `rabbit-operator version` says; git is not asked in here
#   --build-arg SOURCE=handed-in     takes build/release/bin/rabbit-operator as it is, compiled on Debian 12
#   --build-arg BASE=IMAGE           another Debian 12
# One stage for both ways: builders that do not skip stages build every one there is.
ARG BASE=docker.io/library/debian:bookworm-slim

FROM ${BASE} AS source
ARG SOURCE=compiled
RUN [ "$SOURCE" = handed-in ] || { apt-get update && apt-get install -y --no-install-recommends \
      g++ cmake ninja-build mold pkg-config \
      libboost-dev libssl-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libexpected-dev \
      libcli11-dev libpcre2-dev libyaml-cpp-dev prometheus-cpp-dev libgtest-dev libgmock-dev; }
COPY . /src
ARG VERSION=
RUN if [ "$SOURCE" != handed-in ]; then \
      rm -rf /src/build && cmake --preset release -S /src -DRABBIT_OPERATOR_VERSION="$VERSION" \
      && ninja -C /src/build/release rabbit-operator && strip /src/build/release/bin/rabbit-operator || exit 1; \
    fi; \
    mkdir /out && cp /src/build/release/bin/rabbit-operator /out/

FROM ${BASE}
LABEL org.opencontainers.image.title="rabbit-operator" \
      org.opencontainers.image.description="Kubernetes operator for RabbitMQ clusters behind HAProxy"
# Only what the binary links; a base that has them already needs no network here.
RUN packages="libspdlog1.10 libfmt9 libpcre2-8-0 libyaml-cpp0.7 libprometheus-cpp-core1.0 libssl3"; \
    dpkg -s $packages >/dev/null 2>&1 || { apt-get update \
      && apt-get install -y --no-install-recommends $packages && rm -rf /var/lib/apt/lists/*; }
COPY --from=source /out/rabbit-operator /usr/local/bin/rabbit-operator
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/rabbit-operator"]
CMD ["run"]
