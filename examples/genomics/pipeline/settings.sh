# Read by every step: where things are, and how the genome is cut.

packaged=/usr/share/doc/bowtie2/examples   # Debian's bowtie2-examples
work=${WORK:-/work}                        # results
share=${SHARE:-/usr/local/share/lambda}    # title.txt

genome=$work/genome.fa
alignment=$work/aligned.bam
contig=NC_001416.1

regions=4      # pieces the genome is called in
around=500     # bases of the neighbours each piece sees; longer than any read, so its edges are no edges

# LC_ALL=C: sorting and numbers are the same everywhere.
export LC_ALL=C

# first N, last N: the bases of piece N, counted from 1.
length() { cut -f 2 "$genome.fai"; }
first() { echo $((($1 - 1) * $(length) / regions + 1)); }
last() { echo $(($1 * $(length) / regions)); }

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# old-or-new FILE: standard input becomes FILE whole, or FILE stays what it was.
old_or_new() {
    cat >"$1.part"
    mv "$1.part" "$1"
}
