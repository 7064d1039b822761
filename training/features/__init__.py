"""Features of entities, materialised where serving looks them up."""
