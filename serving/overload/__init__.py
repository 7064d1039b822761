"""What keeps a worker from taking on more than it can answer in time: the limit, whose share it is, and how it says no."""
