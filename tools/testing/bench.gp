# SPDX-License-Identifier: GPL-2.0-only
# How long people wait, on the newest kernel in the file "data": an SVG on standard output.
set terminal svg size 860,400 font "DejaVu Sans,12" background "white"
set logscale y
set yrange [0.05:20000]
set ylabel "milliseconds"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 border rgb "black"
set boxwidth 0.9
set grid ytics
set key top left horizontal
set xtics nomirror
set bmargin 4
stats data using 2 nooutput
plot data index STATS_blocks-1 using 2:xtic(1) title "in-tree" linecolor rgb "#9a9a9a", \
	"" index STATS_blocks-1 using 3 title "ours" linecolor rgb "#4a90d9", \
	"" index STATS_blocks-1 using 4 title "ours, standby" linecolor rgb "#2c7a3f"
