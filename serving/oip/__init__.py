"""The Open Inference Protocol's tensors, read into rows and written from answers: the same for HTTP and for gRPC."""
