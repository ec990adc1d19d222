"""An emulator of Cloud DLP: its gRPC API, limits, quotas and faults, on this machine."""
