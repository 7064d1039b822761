"""The product: answers predictions over HTTP, fast and only when they are right, and does everything else beside the request."""
