"""How a commit becomes what runs: the image, the rendered manifests, and the pull request that changes them."""
