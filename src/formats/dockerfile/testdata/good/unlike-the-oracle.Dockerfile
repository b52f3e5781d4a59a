FROM scratch
RUN 3<<FILE1 cat <<"FILE 2" > /y
one
FILE1
two
FILE 2
RUN cat <<EOF|sort
b
a
EOF
RUN ends with two \\
RUN next
