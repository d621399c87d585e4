// Package crds pins the module whose folder holds the CRDs of the Gateway API; nothing is built from it.
// `go mod tidy` would drop the requirement, since that folder holds no Go: set its version with `go get`.
package crds
