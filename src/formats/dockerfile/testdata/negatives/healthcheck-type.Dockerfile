FROM scratch
HEALTHCHECK curl
