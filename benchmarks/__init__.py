"""Side-by-side measurements; each module is a command and writes benchmarks/results/."""
