"""The pinned external programs, as data: which Go module builds them, and how.

The versions are pinned by the go.mod of each folder in tools/; here they are named, stamped and reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.errors import InputError

PULUMI_VERSION: Final = "3.259.0"
PROVIDER_VERSION: Final = "4.25.0"
HELM_VERSION: Final = "3.20.2"
KUBERNETES_VERSION: Final = "1.36.3"
ETCD_VERSION: Final = "3.6.14"
KWOK_VERSION: Final = "0.8.0"
PROMETHEUS_VERSION: Final = "3.15.1"
LWS_VERSION: Final = "0.9.0"


@dataclass(frozen=True, kw_only=True)
class Program:
    """An executable. `version_arguments` make it print its version, where one from PATH would do as well."""

    name: str
    version: str
    version_arguments: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A file, or a folder's YAML files, of a Go module that the folder `pinned_by` of tools/ requires."""

    go_module: str
    source: str
    to: str
    pinned_by: str


@dataclass(frozen=True, kw_only=True)
class Module:
    """A folder of tools/ and what is built from it. `usual_s`: cold, on two cores.

    `schema` is copied into the sources before the build, with the program's version set; `copies` are added to
    what is built. `parallelism` limits the compiler to so many packages at once, where memory is short.
    """

    name: str
    programs: tuple[Program, ...]
    stamps: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    parallelism: int | None = None
    schema: Copy | None = None
    copies: tuple[Copy, ...] = ()
    usual_s: int
    for_tests: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """Arguments of `go build`."""
        stamped = " ".join(("-s -w", *(f"-X {stamp}" for stamp in self.stamps)))
        return (
            "-trimpath",
            "-buildvcs=false",
            *(("-p", str(self.parallelism)) if self.parallelism else ()),
            *(("-tags", ",".join(self.tags)) if self.tags else ()),
            f"-ldflags={stamped}",
        )


_KUBE_STAMP: Final = "k8s.io/component-base/version."

MODULES: Final = (
    Module(
        name="helm",
        programs=(Program(name="helm", version=HELM_VERSION, version_arguments=("version", "--short")),),
        stamps=(f"helm.sh/helm/v3/internal/version.version=v{HELM_VERSION}",),
        usual_s=80,
    ),
    Module(
        name="pulumi",
        programs=(Program(name="pulumi", version=PULUMI_VERSION, version_arguments=("version",)),),
        # Without its version the SDK refuses the engine.
        stamps=(f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}",),
        tags=("grpcnotrace",),  # as upstream builds it
        usual_s=250,
    ),
    Module(
        name="kube",
        programs=(
            Program(name="kube-apiserver", version=KUBERNETES_VERSION),
            Program(name="kube-controller-manager", version=KUBERNETES_VERSION),
            Program(name="kube-scheduler", version=KUBERNETES_VERSION),
            Program(name="kubectl", version=KUBERNETES_VERSION),
            Program(name="etcd", version=ETCD_VERSION),
            Program(name="kwok", version=KWOK_VERSION),
            Program(name="kwokctl", version=KWOK_VERSION),
        ),
        # Without them the server calls itself v0.0.0, and clients misjudge it.
        stamps=(
            f"{_KUBE_STAMP}gitVersion=v{KUBERNETES_VERSION}",
            f"{_KUBE_STAMP}gitMajor={KUBERNETES_VERSION.split('.')[0]}",
            f"{_KUBE_STAMP}gitMinor={KUBERNETES_VERSION.split('.')[1]}",
            f"{_KUBE_STAMP}gitTreeState=clean",
        ),
        copies=(Copy(go_module="sigs.k8s.io/kwok", source="kustomize/stage", to="stages", pinned_by="kube"),),
        usual_s=360,
    ),
    Module(
        name="provider",
        programs=(Program(name="pulumi-resource-kubernetes", version=PROVIDER_VERSION),),
        stamps=(f"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=v{PROVIDER_VERSION}",),
        # One package of the Kubernetes SDK alone takes 2.6 GB to compile.
        parallelism=2,
        schema=Copy(
            go_module="github.com/pulumi/pulumi-kubernetes/provider/v4",
            source="cmd/pulumi-resource-kubernetes/schema.json",
            to="cmd/pulumi-resource-kubernetes/schema-embed.json",
            pinned_by="provider",
        ),
        usual_s=450,
    ),
    Module(
        name="knative-crds",
        programs=(),
        copies=(
            Copy(
                go_module="knative.dev/serving",
                source="config/core/300-resources",
                to="crds",
                pinned_by="knative-crds",
            ),
        ),
        usual_s=5,
    ),
    Module(
        name="lws",
        programs=(Program(name="lws-controller", version=LWS_VERSION),),
        copies=(
            Copy(go_module="sigs.k8s.io/lws", source="config/crd/bases", to="crds", pinned_by="lws"),
            Copy(
                go_module="sigs.k8s.io/lws",
                source="config/webhook/manifests.yaml",
                to="webhooks.yaml",
                pinned_by="lws",
            ),
        ),
        usual_s=100,
    ),
    Module(
        name="gitops-crds",
        programs=(),
        copies=tuple(
            Copy(go_module=go_module, source=source, to=f"crds/{to}", pinned_by="gitops-crds")
            for go_module, source, to in (
                ("github.com/argoproj/argo-cd/v3", "manifests/crds", "argocd"),
                ("github.com/fluxcd/source-controller", "config/crd/bases", "flux-source"),
                ("github.com/fluxcd/kustomize-controller", "config/crd/bases", "flux-kustomize"),
                ("github.com/fluxcd/helm-controller", "config/crd/bases", "flux-helm"),
            )
        ),
        usual_s=15,
        for_tests=True,
    ),
    Module(
        name="gateway-crds",
        programs=(),
        copies=(
            Copy(
                go_module="sigs.k8s.io/gateway-api",
                source="config/crd/standard",
                to="crds",
                pinned_by="gateway-crds",
            ),
        ),
        usual_s=5,
        for_tests=True,
    ),
    Module(
        name="operator-crds",
        programs=(),
        copies=(
            Copy(
                go_module="github.com/kedacore/keda/v2",
                source="config/crd/bases/keda.sh_scaledobjects.yaml",
                to="crds/scaledobjects.yaml",
                pinned_by="operator-crds",
            ),
            *(
                Copy(
                    go_module="github.com/prometheus-operator/prometheus-operator",
                    source=f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml",
                    to=f"crds/{kind}.yaml",
                    pinned_by="operator-crds",
                )
                for kind in ("podmonitors", "servicemonitors", "prometheusrules")
            ),
        ),
        usual_s=5,
        for_tests=True,
    ),
    Module(
        name="helm-unittest",
        programs=(Program(name="helm-unittest", version="1.0.3"),),
        usual_s=40,
        for_tests=True,
    ),
    Module(
        name="prometheus",
        programs=(
            Program(name="prometheus", version=PROMETHEUS_VERSION),
            Program(name="promtool", version=PROMETHEUS_VERSION),
        ),
        stamps=(f"github.com/prometheus/common/version.Version={PROMETHEUS_VERSION}",),
        # Without the service discoveries of clouds: the tests name their targets.
        tags=("remove_all_sd",),
        parallelism=2,
        usual_s=200,
        for_tests=True,
    ),
    Module(
        name="python-host",
        programs=(Program(name="pulumi-language-python", version="3.78.0"),),
        # The host is the last that its Go module carries; what it executes is the engine's own.
        copies=(
            Copy(
                go_module="github.com/pulumi/pulumi/sdk/v3",
                source="python/cmd/pulumi-language-python-exec",
                to="bin/pulumi-language-python-exec",
                pinned_by="pulumi",
            ),
        ),
        usual_s=35,
        for_tests=True,
    ),
)


def module(name: str) -> Module:
    """By the name of its folder. Raises InputError."""
    for candidate in MODULES:
        if candidate.name == name:
            return candidate
    raise InputError(f"no module {name!r} in tools/")


def module_of(program: str) -> Module:
    """The module that a program comes from. Raises InputError."""
    for candidate in MODULES:
        if any(entry.name == program for entry in candidate.programs):
            return candidate
    raise InputError(f"no pinned program {program!r}")
