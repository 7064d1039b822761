"""What a client may do to a connection before a request of it reaches the front app, and after it was answered."""
