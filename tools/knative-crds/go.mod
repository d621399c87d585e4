module example.invalid/breakeven/tools/knative-crds

go 1.26.0

require knative.dev/serving v0.48.0
