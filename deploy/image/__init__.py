"""The image: from the tracked files and the promoted models to a container that was tried."""
