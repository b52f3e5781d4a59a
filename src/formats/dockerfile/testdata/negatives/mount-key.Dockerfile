FROM scratch
RUN --mount=type=bind,tagret=/x x
