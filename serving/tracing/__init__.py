"""Where a request stands among the traces of its caller, and what is told of its stages."""
