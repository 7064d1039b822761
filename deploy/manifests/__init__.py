"""What an overlay renders to, and what a change to it would change in a cluster."""
