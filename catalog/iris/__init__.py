"""Species of an iris from four measurements: the smallest classifier that the product serves."""
