// The modules whose folders hold the CRDs of Argo CD and Flux. Nothing of them is imported or built, so that
// `go mod tidy` would drop them: to bump one, set its version here and run `go mod download`.
module example.invalid/breakeven/tools/gitops-crds

go 1.26.0

require (
	github.com/argoproj/argo-cd/v3 v3.5.7
	github.com/fluxcd/helm-controller v1.6.4
	github.com/fluxcd/kustomize-controller v1.9.6
	github.com/fluxcd/source-controller v1.9.6
)
