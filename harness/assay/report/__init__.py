"""Reports of comparisons: one HTML file that needs no network, and every figure as SVG, PNG and CSV.

A figure is a Vega-Lite specification over plain rows. The page shows it as static SVG with its table, and
scripts that the page carries bring it to life where they may run.
"""
