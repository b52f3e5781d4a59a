FROM debian
RUN <<EOF
echo one
  echo $two
EOF
RUN <<-'EOT' cat > /x
	tabbed
	# no comment
	EOT
COPY <<a.txt <<-"b.txt" plain /dst/
text of a $V
a.txt
	text of b $V
	b.txt
ONBUILD RUN <<X
inside
X
RUN echo "a << b" $((1<<2)) <<< here
RUN <<EOF
#!/usr/bin/env python3
print("hi")
EOF
