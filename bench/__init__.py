"""Side-by-side benchmarks: the Slipway service beside peers, on the same model, machine and run."""
