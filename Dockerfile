# The operator's image. For everybody: `docker build .` compiles it on Debian 12.
# With a binary that was built before (nothing is compiled twice):
#   --build-arg SOURCE=handed-in --build-arg BASE=some-debian-12 (build/release/bin/rabbit-operator)
ARG BASE=docker.io/library/debian:bookworm-slim
ARG SOURCE=compiled

FROM ${BASE} AS compiled
RUN apt-get update && apt-get install -y --no-install-recommends g++ cmake ninja-build mold pkg-config git \
      libcpprest-dev libboost-dev libssl-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libexpected-dev \
      libcli11-dev libpcre2-dev libyaml-cpp-dev prometheus-cpp-dev libgtest-dev libgmock-dev
COPY . /src
RUN cmake --preset release -S /src && ninja -C /src/build/release rabbit-operator \
    && install -D -s /src/build/release/bin/rabbit-operator /out/rabbit-operator

FROM ${BASE} AS handed-in
COPY build/release/bin/rabbit-operator /out/rabbit-operator

FROM ${SOURCE} AS source

FROM ${BASE}
LABEL org.opencontainers.image.title="rabbit-operator" \
      org.opencontainers.image.description="Kubernetes operator for RabbitMQ clusters behind HAProxy"
# Only what the binary links; a base that has them already needs no network here.
RUN packages="libcpprest2.10 libspdlog1.10 libfmt9 libpcre2-8-0 libyaml-cpp0.7 libprometheus-cpp-core1.0 libssl3"; \
    dpkg -s $packages >/dev/null 2>&1 || { apt-get update \
      && apt-get install -y --no-install-recommends $packages && rm -rf /var/lib/apt/lists/*; }
COPY --from=source /out/rabbit-operator /usr/local/bin/rabbit-operator
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/rabbit-operator"]
CMD ["run"]
