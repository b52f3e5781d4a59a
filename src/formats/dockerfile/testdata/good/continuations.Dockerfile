
  # leading comment
FROM scratch
RUN echo a \
    # a comment inside

    && echo b \   
	# tabbed comment
    && echo c
LABEL \ 
    base_image="biocontainers:v1" \
    version="3"   \
    about.summary="a \"quoted\" word"
RUN last \
