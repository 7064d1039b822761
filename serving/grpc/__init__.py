"""The Open Inference Protocol over gRPC, on a port of its own. Nothing outside imports this unless GRPC_PORT is set."""
