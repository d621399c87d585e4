"""The outside world: programs, the Pulumi engine, the cluster and the sandbox. Never prints, never asks."""
