FROM scratch
COPY one
