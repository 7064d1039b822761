"""How good a model is: figures, slices, baselines, pictures, and the pages that people read."""
