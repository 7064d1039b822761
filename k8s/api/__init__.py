"""The seam to the API server: typed objects, one facade over the Kubernetes client, watches that survive."""
