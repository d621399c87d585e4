// The Kubernetes provider of Pulumi, built from its Go module.
//
// Upstream's main embeds generated files that its module zip lacks, so it cannot be built from there.
// This one embeds schema-embed.json, which `deploy tools --build` derives from the module's schema.json:
// a stub would make `pulumi import` return empty inputs in silence.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema-embed.json
var schema []byte

func main() {
	noTerraformMapping := []byte("{}")
	provider.Serve("kubernetes", version.Version, schema, noTerraformMapping)
}
