# Facts, depths and variants in; one self-contained HTML page out.

BEGIN {
    FS = "\t"
    bins = 480          # points of the coverage plot
    width = 960         # of the plot, in its own units
    height = 240
    left = 44           # room for the axis
}

FNR == 1 { input++ }

input == 1 { fact[$1] = $2; next }

input == 2 {
    bin = int(($2 - 1) * bins / fact["length"])
    sum[bin] += $3
    count[bin]++
    next
}

/^#/ { next }

{
    n++
    position[n] = $2; ref[n] = $4; alt[n] = $5; qual[n] = $6
    kind[n] = length($4) == length($5) ? "substitution" : length($4) < length($5) ? "insertion" : "deletion"
    kinds[kind[n]]++
    reads[n] = match($8, /(^|;)DP=[0-9]+/) ? substr($8, RSTART) : ""
    sub(/^;?DP=/, "", reads[n])
    sub(/;.*/, "", reads[n])
}

function html(text) {
    gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text); gsub(/"/, "\\&quot;", text)
    return text
}

# 48502 as 48,502
function thousands(number,   out) {
    out = ""
    while (length(number) > 3) { out = "," substr(number, length(number) - 2) out; number = substr(number, 1, length(number) - 3) }
    return number out
}

function x(base) { return sprintf("%.1f", left + (base - 1) * (width - left) / (fact["length"] - 1)) }
function y(depth) { return sprintf("%.1f", height - depth * height / top) }

function tile(value, label) {
    printf "<div class=\"tile\"><b>%s</b><span>%s</span></div>\n", value, label
}

function bases(text) {
    return length(text) > 24 ? html(substr(text, 1, 21)) "… (" length(text) ")" : html(text)
}

END {
    title = html(fact["title"])
    printf "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    printf "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    printf "<meta name=\"color-scheme\" content=\"light dark\">\n<title>%s</title>\n", title
    style()
    printf "</head>\n<body>\n<main>\n<header>\n<h1>%s</h1>\n", title
    printf "<p class=\"lead\">Where %s reads differ from the genome they were compared with.</p>\n</header>\n", thousands(fact["reads"])

    printf "<aside><b>The genome is real, the reads are simulated.</b> "
    printf "The reference is the complete genome of Enterobacteria phage lambda (%s, %s bases). ", fact["contig"], thousands(fact["length"])
    printf "The reads come with Debian’s <i>bowtie2-examples</i>: a program changed the genome at random, cut it into "
    printf "pieces and added sequencing errors. Nothing here says anything about a living sample.</aside>\n"

    printf "<section class=\"tiles\">\n"
    tile(sprintf("%.1f&thinsp;%%", fact["mapped"]), "of the reads find their place")
    tile(sprintf("%.1f×", fact["depth"]), "mean depth")
    tile(sprintf("%.1f&thinsp;%%", fact["covered"]), "of the genome seen")
    tile(n + 0, "variants found")
    printf "</section>\n"

    plot()
    table()
    how()
    printf "</main>\n</body>\n</html>\n"
}

function plot(   bin, depth, step, tick, i, path, base) {
    top = 0
    for (bin = 0; bin < bins; bin++) {
        mean[bin] = count[bin] ? sum[bin] / count[bin] : 0
        if (mean[bin] > top) top = mean[bin]
    }
    step = top > 100 ? 50 : top > 40 ? 20 : 10
    top = (int(top / step) + 1) * step

    printf "<section>\n<h2>Depth along the genome</h2>\n"
    printf "<p>How many reads cover each place; a mark below the plot is a variant. "
    printf "The dashed lines are where the genome was cut into %d pieces that were worked on side by side.</p>\n", fact["regions"]
    printf "<div class=\"wide\"><svg viewBox=\"0 -8 %d %d\" role=\"img\" aria-label=\"Depth of coverage along the genome\">\n", width + 8, height + 62
    for (tick = 0; tick <= top; tick += step) {
        printf "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%s\" y2=\"%s\"/>", left, width, y(tick), y(tick)
        printf "<text x=\"%d\" y=\"%s\" text-anchor=\"end\" dy=\"4\">%d</text>\n", left - 8, y(tick), tick
    }
    path = "M" x(1) "," y(0)
    for (bin = 0; bin < bins; bin++) {
        base = 1 + (bin + 0.5) * (fact["length"] - 1) / bins
        path = path "L" x(base) "," y(mean[bin])
    }
    printf "<path class=\"area\" d=\"%sL%s,%sZ\"/>\n", path, x(fact["length"]), y(0)
    for (i = 1; i < fact["regions"]; i++) {
        base = int(i * fact["length"] / fact["regions"]) + 0.5
        printf "<line class=\"cut\" x1=\"%s\" x2=\"%s\" y1=\"0\" y2=\"%d\"/>\n", x(base), x(base), height + 22
    }
    for (i = 1; i <= n; i++) {
        printf "<line class=\"%s\" x1=\"%s\" x2=\"%s\" y1=\"%d\" y2=\"%d\"><title>%s, %s to %s</title></line>\n", kind[i], x(position[i]), x(position[i]), height + 6, height + 20, thousands(position[i]), bases(ref[i]), bases(alt[i])
    }
    for (tick = 0; tick < fact["length"]; tick += 10000) {
        printf "<text x=\"%s\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", x(tick + 1), height + 40, tick == 0 ? "start" : "middle", tick == 0 ? "0" : thousands(tick)
    }
    printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">bases</text>\n</svg></div>\n", width, height + 40
    printf "<p class=\"key\"><span class=\"substitution\">substitution %d</span> <span class=\"insertion\">insertion %d</span> <span class=\"deletion\">deletion %d</span></p>\n</section>\n", kinds["substitution"], kinds["insertion"], kinds["deletion"]
}

function table(   i) {
    printf "<section>\n<h2>The variants</h2>\n"
    printf "<p>Quality is on the Phred scale: 30 is one error in a thousand, 200 practically none.</p>\n"
    printf "<div class=\"wide\"><table>\n<thead><tr><th class=\"n\">Position</th><th>Kind</th><th>Genome</th><th>Reads say</th><th class=\"n\">Quality</th><th class=\"n\">Depth</th></tr></thead>\n<tbody>\n"
    for (i = 1; i <= n; i++) {
        printf "<tr><td class=\"n\">%s</td><td><span class=\"%s\">%s</span></td><td><code>%s</code></td><td><code>%s</code></td><td class=\"n\">%.0f</td><td class=\"n\">%s</td></tr>\n", thousands(position[i]), kind[i], kind[i], bases(ref[i]), bases(alt[i]), qual[i], reads[i]
    }
    printf "</tbody>\n</table></div>\n</section>\n"
}

function how() {
    printf "<section>\n<h2>How it was made</h2>\n<ol>\n"
    printf "<li><b>bwa mem %s</b> aligned the raw reads (about %d bases each; %.0f&thinsp;%% of their bases have quality 20 or more, says <b>fastp %s</b>).</li>\n", html(fact["bwa"]), fact["read_length"], fact["q20"] * 100, fact["fastp"]
    printf "<li><b>samtools %s</b> sorted and indexed the alignment.</li>\n", fact["samtools"]
    printf "<li><b>bcftools %s</b> called variants in %d pieces of the genome side by side (<code>mpileup</code>, <code>call -mv --ploidy 1</code>), then joined the lists.</li>\n", fact["bcftools"], fact["regions"]
    printf "<li>A second opinion: <b>minimap2 %s</b>, made for longer or cleaner reads, places %.1f&thinsp;%% of them.</li>\n", fact["minimap2"], fact["mapped_by_minimap2"]
    printf "</ol>\n<p>This page holds no date and no machine’s name: the same container makes the same page, byte for byte.</p>\n</section>\n"
}

function style() {
    printf "<style>\n"
    printf ":root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1d2433;--soft:#5b6475;--line:#dfe1e6;--card:#fff;--accent:#1f6f78;--area:#2b8a9433;--sub:#2f5fb3;--ins:#2e7d32;--del:#b3402f}\n"
    printf "@media(prefers-color-scheme:dark){:root{--paper:#12161d;--ink:#e6e9ef;--soft:#9aa4b5;--line:#2b3240;--card:#1a202a;--accent:#5cc0c9;--area:#5cc0c933;--sub:#8ab0ff;--ins:#7fd086;--del:#ff9a86}}\n"
    printf "*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}\n"
    printf "main{max-width:64rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}h1{font-size:2.1rem;line-height:1.15;margin:0 0 .3rem;letter-spacing:-.01em}h2{font-size:1.25rem;margin:2.6rem 0 .3rem}\n"
    printf "p{margin:.3rem 0 .9rem;max-width:46rem}.lead{color:var(--soft);font-size:1.1rem}section>p,li{color:var(--soft)}li b,li code{color:var(--ink)}\n"
    printf "aside{border-left:4px solid var(--accent);background:var(--card);padding:.8rem 1rem;border-radius:0 .5rem .5rem 0;margin:1.2rem 0}\n"
    printf ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem}.tile{background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:.9rem 1rem}.tile b{display:block;font-size:1.75rem;line-height:1.2;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:.9rem}\n"
    printf ".wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.7rem;padding:.8rem}svg{display:block;min-width:38rem;width:100%%;height:auto}svg text{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}\n"
    printf ".grid{stroke:var(--line)}.area{fill:var(--area);stroke:var(--accent);stroke-width:1.2;stroke-linejoin:round}.cut{stroke:var(--soft);stroke-dasharray:4 4;opacity:.7}line.substitution,line.insertion,line.deletion{stroke-width:1.6}line.substitution{stroke:var(--sub)}line.insertion{stroke:var(--ins)}line.deletion{stroke:var(--del)}\n"
    printf "span.substitution{color:var(--sub)}span.insertion{color:var(--ins)}span.deletion{color:var(--del)}.key span{margin-right:1.2rem;font-size:.9rem}.key span::before{content:\"\";display:inline-block;width:.6rem;height:.6rem;border-radius:2px;background:currentColor;margin-right:.4rem}\n"
    printf "table{border-collapse:collapse;width:100%%;font-size:.94rem}th{text-align:left;color:var(--soft);font-weight:600;font-size:.85rem}th,td{padding:.34rem .7rem;border-bottom:1px solid var(--line)}tbody tr:last-child td{border-bottom:0}.n{text-align:right;font-variant-numeric:tabular-nums}code{font:.88rem ui-monospace,monospace}\n"
    printf "</style>\n"
}
