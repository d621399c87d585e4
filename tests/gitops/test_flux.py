"""Flux's variants: from Git or from a registry, objects or HelmReleases; a HelmRelease makes what a render writes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from tests.gitops.files import overlay, write

from breakeven.engine import tools

Deploy = Callable[..., Result]

REPOSITORY = ("--repository", "https://github.com/acme/llm")
RENDER = ("render", "clusters", "--out", "rendered")

# On two nodes, under an autoscaler.
WIDE = "profile: 8xh100\nengine: {nodes_per_replica: 2}\nscaling: {min_replicas: 1, max_replicas: 3}\n"


def documents(folder: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(path.read_text()) for path in sorted(Path(folder).glob("*.yaml"))]


@pytest.fixture
def released(deploy: Deploy, fleet: Path) -> Path:
    """The fleet with a server of each kind, rendered as HelmReleases."""
    write(fleet / "prod" / "seconds" / "deploy.yaml", overlay("seconds", "prod") + "profile: serverless\n")
    scaled = overlay("scaled", "prod") + "profile: 1xa100\nscaling: {min_replicas: 1, max_replicas: 3}\n"
    write(fleet / "prod" / "scaled" / "deploy.yaml", scaled)
    write(fleet / "lab" / "wide" / "deploy.yaml", overlay("wide", "lab") + WIDE)
    write(fleet / "fleet.yaml", "helm_releases: true\n")
    found = deploy(*RENDER)
    assert found.exit_code == 0, found.output
    return Path("rendered")


def releases(tree: Path) -> dict[str, dict[str, Any]]:
    paths = sorted(tree.rglob("helmrelease-*.yaml"))
    return {str(path.parents[1].relative_to(tree)): yaml.safe_load(path.read_text()) for path in paths}


def keyed(text: str) -> dict[tuple[str, str], Any]:
    return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text) if one}


def test_a_registry_is_read_from_its_top(deploy: Deploy) -> None:
    """`flux push artifact --path=rendered` has the tree at the top of the artifact."""
    assert deploy("init", "--gitops", "flux", "--repository", "oci://ghcr.io/acme/llm").exit_code == 0
    applied, source = documents("gitops/flux")
    assert (source["kind"], source["spec"]["url"]) == ("OCIRepository", "oci://ghcr.io/acme/llm")
    assert source["spec"]["ref"] == {"tag": "main"}
    assert applied["spec"]["sourceRef"] == {"kind": "OCIRepository", "name": source["metadata"]["name"]}
    assert applied["spec"]["path"] == "./"


def test_git_is_read_below_rendered(deploy: Deploy) -> None:
    assert deploy("init", "--gitops", "flux", *REPOSITORY).exit_code == 0
    applied, source = documents("gitops/flux")
    assert applied["spec"]["sourceRef"] == {"kind": source["kind"], "name": source["metadata"]["name"]}
    assert applied["spec"]["path"] == "./rendered"
    assert (applied["spec"]["prune"], applied["spec"]["wait"]) == (True, True)


def test_a_repository_by_ssh_is_spelt_as_flux_wants_it(deploy: Deploy) -> None:
    assert deploy("init", "--gitops", "flux", "--repository", "git@github.com:acme/llm.git").exit_code == 0
    assert documents("gitops/flux")[1]["spec"]["url"] == "ssh://git@github.com/acme/llm.git"


def test_releases_name_the_chart_that_is_rendered(deploy: Deploy, fleet: Path) -> None:
    assert deploy("init", "--gitops", "flux-helm", *REPOSITORY).exit_code == 0
    deploy(*RENDER)
    chart = documents("gitops/flux")[0]
    for release in releases(Path("rendered")).values():
        wanted = {"kind": chart["kind"], **{key: chart["metadata"][key] for key in ("name", "namespace")}}
        assert release["spec"]["chartRef"] == wanted
    assert (Path(chart["spec"]["chart"]) / "Chart.yaml").is_file()


def test_the_same_objects_as_a_render(deploy: Deploy, fleet: Path, released: Path) -> None:
    """Helm with a release's name, namespace and values, on the chart of the tree: field by field."""
    found = releases(released)
    assert len(found) == 6
    (fleet / "fleet.yaml").unlink()
    assert deploy("render", "clusters", "--out", "objects").exit_code == 0
    tools.require("helm")
    for folder, release in found.items():
        spec, namespace = release["spec"], release["metadata"]["namespace"]
        command = [str(tools.path("helm")), "template", spec["releaseName"], str(released / "charts" / "vllm")]
        made = subprocess.run(
            [*command, "--namespace", namespace, "--kube-version", "1.36.3", "-f", "-"],
            input=json.dumps(spec["values"]),
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        paths = sorted(Path("objects", folder, "manifests").glob("*.yaml"))
        wanted = keyed("---\n".join(path.read_text() for path in paths if not path.name.startswith("namespace-")))
        assert keyed(made) == wanted


def test_replicas_are_an_autoscalers_only_where_there_is_one(released: Path) -> None:
    ignored = {folder: found["spec"]["driftDetection"].get("ignore") for folder, found in releases(released).items()}
    assert {folder: rules[0]["target"]["kind"] for folder, rules in ignored.items() if rules} == {
        "lab/wide": "LeaderWorkerSet",
        "prod/scaled": "Deployment",
    }


def test_a_group_of_pods_is_asked_for_its_own_condition(deploy: Deploy, released: Path) -> None:
    """In both places alike; of other kinds Flux knows the health by itself."""
    asked = {folder: found["spec"].get("healthCheckExprs") for folder, found in releases(released).items()}
    (released / "../clusters/fleet.yaml").unlink()
    deploy("init", "--gitops", "flux", *REPOSITORY)
    applied = documents("gitops/flux")[0]["spec"]["healthCheckExprs"]
    assert {folder: found for folder, found in asked.items() if found} == {"lab/wide": applied}


def test_a_release_may_take_as_long_as_its_rollout(released: Path) -> None:
    for found in releases(released).values():
        spec = found["spec"]
        assert int(spec["timeout"].removesuffix("s")) > spec["values"]["rollout"]["progressDeadlineSeconds"]


def test_the_tree_is_applied_as_any_other(released: Path) -> None:
    tools.require("kube")
    command = [str(tools.path("kubectl")), "kustomize", str(released)]
    kinds = [kind for kind, _ in keyed(subprocess.run(command, check=True, capture_output=True, text=True).stdout)]
    assert sorted(set(kinds)) == ["HelmRelease", "Namespace"]


def test_chart_and_objects_come_and_go_with_the_choice(deploy: Deploy, fleet: Path, released: Path) -> None:
    assert deploy(*RENDER, "--check").output == ""
    (fleet / "fleet.yaml").unlink()
    check = deploy(*RENDER, "--check")
    assert "--- rendered/charts/vllm/Chart.yaml\n+++ /dev/null\n" in check.stdout
    assert deploy(*RENDER).exit_code == 0
    assert not (released / "charts").exists()
    assert releases(released) == {}


def test_no_deployment_lies_where_the_chart_goes(deploy: Deploy, fleet: Path) -> None:
    write(fleet / "fleet.yaml", "helm_releases: true\n")
    write(fleet / "charts" / "vllm" / "deploy.yaml", "profile: 4xa100\n")
    found = deploy(*RENDER)
    assert found.exit_code == 2
    assert found.stderr.startswith("Error: clusters/charts/vllm/deploy.yaml: the chart is rendered to charts/vllm\n")


def test_a_fleet_file_that_is_there_is_asked_for_the_line(deploy: Deploy, fleet: Path) -> None:
    write(fleet / "fleet.yaml", "budget:\n  max_usd_per_month: 1\n")
    found = deploy("init", "--gitops", "flux-helm", *REPOSITORY)
    assert found.stderr == (
        "Error: clusters/fleet.yaml: it lacks helm_releases\nNext: add the line `helm_releases: true`\n"
    )
    assert not Path("gitops").exists()
    write(fleet / "fleet.yaml", "helm_releases: true\n")
    assert deploy("init", "--gitops", "flux-helm", *REPOSITORY).exit_code == 0
    assert (fleet / "fleet.yaml").read_text() == "helm_releases: true\n"
