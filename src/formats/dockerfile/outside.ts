/**
 * Where a Dockerfile stands in a context's tar when it is no part of the context (`-f -`, `-f ../x`, or left out by the
 * ignore file). The engine reads it and takes the folder out, so that `COPY .` never sees it.
 */
export const outsideFolder = ".gantry-dockerfile";
