"""Minutes from order to door for a restaurant delivery."""
