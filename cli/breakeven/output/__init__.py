"""Results → strings. Nothing here prints; commands decide where a string goes."""
