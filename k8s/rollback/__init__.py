"""Going back to what ran before, where that is not Git's business."""
