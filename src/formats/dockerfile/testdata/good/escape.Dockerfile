# escape=`
FROM scratch
WORKDIR C:\\dir\
RUN echo `
  more
