FROM scratch
COPY --from=a <<X /x
b
X
