// Package crds pins the modules that hold the CRDs of KEDA and of the Prometheus operator; nothing is built from it.
// `go mod tidy` would drop the requirements, since those folders hold no Go: set a version with `go get`.
package crds
