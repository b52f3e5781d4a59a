# syntax=docker/dockerfile:1
# check=skip=JSONArgsRecommended
ARG BASE=debian:bookworm
FROM --platform=linux/amd64 ${BASE} AS Build
MAINTAINER Jane Doe <jane@example.org>
ARG VERSION=1.2 NAME
ENV A=1 B="two words" C=it\ is
ENV LEGACY the rest of the line
LABEL org.example.x="y" "quoted key"=z
WORKDIR /src
USER app:app
EXPOSE 80 443/tcp 8000-8010/udp
VOLUME ["/data", "/with space"]
VOLUME /a /b
STOPSIGNAL SIGTERM
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN --network=none --mount=type=cache,target=/c,sharing=locked --mount=type=secret,id=k,env=KEY make all
RUN ["/bin/true", "a b"]
COPY --chown=1:2 --chmod=0755 a b /dst/
COPY --from=0 --link --parents --exclude=*.md --exclude="*.txt" x ./
COPY ["with space", "/dst dir/"]
ADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 https://example.org/x.tgz /x
ADD --unpack=false --keep-git-dir=true a.tar /a
HEALTHCHECK --interval=1m30s --timeout=5s --start-period=2s --start-interval=1s --retries=3 CMD ["curl", "-f", "x"]
HEALTHCHECK NONE
ONBUILD COPY . /app
ENTRYPOINT ["/bin/x"]
CMD echo hello
