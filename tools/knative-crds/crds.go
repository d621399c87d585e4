// Package crds pins the module whose folder holds Knative Serving's CRDs; nothing is built from it.
package crds

import _ "knative.dev/serving/config/core/300-resources"
