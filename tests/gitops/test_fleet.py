"""A directory of deploy.yaml files: one base each, rendered and priced together."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from tests.gitops.files import overlay, write

from breakeven.engine import tools

Deploy = Callable[..., Result]

RENDER = ("render", "clusters", "--out", "rendered")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(found: Result, code: int = 2) -> str:
    assert found.exit_code == code, found.output
    assert found.stdout == ""
    assert not Path("rendered").exists()
    return found.stderr


@pytest.fixture
def rendered(deploy: Deploy, fleet: Path) -> Path:
    found = deploy(*RENDER)
    assert found.exit_code == 0, found.output
    return Path("rendered")


def test_each_object_is_in_the_tree_once(rendered: Path) -> None:
    """Two deployments share llm-prod: kustomize refuses an object that comes twice."""
    tools.require("kube")
    command = [str(tools.path("kubectl")), "kustomize", str(rendered)]
    built = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    objects = [(found["kind"], found["metadata"]["name"]) for found in yaml.safe_load_all(built)]
    assert objects.count(("Namespace", "llm-prod")) == objects.count(("Namespace", "llm-staging")) == 1
    assert sum(kind == "Deployment" for kind, _ in objects) == 3


def test_an_overlay_goes_over_its_base(rendered: Path) -> None:
    inputs = {
        folder: json.loads((rendered / folder / "breakeven.lock.json").read_bytes())["inputs"]["deployment"]
        for folder in ("prod/chat", "prod/code")
    }
    assert [inputs["prod/chat"][key] for key in ("profile", "team", "environment")] == ["4xa100", "search", "prod"]
    assert [inputs["prod/code"][key] for key in ("profile", "team")] == ["8xh100", "dev"]
    assert inputs["prod/code"]["workload"]["requests_per_month"] == 2_000_000


def test_a_second_render_changes_nothing(deploy: Deploy, rendered: Path) -> None:
    before = tree(rendered)
    assert deploy(*RENDER).stdout == "22 files in rendered\n"
    assert tree(rendered) == before
    assert deploy(*RENDER, "--check").output == ""


def test_a_deployment_that_goes_takes_its_folder_along(deploy: Deploy, fleet: Path, rendered: Path) -> None:
    shutil.rmtree(fleet / "staging")
    check = deploy(*RENDER, "--check")
    assert check.exit_code == 7
    assert "--- rendered/staging/chat/values.yaml\n+++ /dev/null\n" in check.stdout
    assert deploy(*RENDER).exit_code == 0
    assert sorted(path.name for path in rendered.iterdir()) == ["breakeven.lock.json", "kustomization.yaml", "prod"]


def test_a_namespace_stays_when_its_first_deployment_goes(deploy: Deploy, fleet: Path, rendered: Path) -> None:
    assert not (rendered / "prod/code/manifests/namespace-llm-prod.yaml").exists()
    shutil.rmtree(fleet / "prod" / "chat")
    assert deploy(*RENDER).exit_code == 0
    assert (rendered / "prod/code/manifests/namespace-llm-prod.yaml").exists()


def test_files_of_others_stay_and_are_named(deploy: Deploy, fleet: Path, rendered: Path) -> None:
    shutil.rmtree(fleet / "staging")
    (rendered / "staging" / "chat" / "mine.yaml").write_text("kind: Mine\n")
    before = tree(rendered)
    found = deploy(*RENDER)
    assert found.exit_code == 2
    assert "rendered/staging/chat/mine.yaml was not written by `deploy render`" in found.stderr
    assert tree(rendered) == before


def test_a_single_render_does_not_replace_a_fleet(deploy: Deploy, rendered: Path) -> None:
    before = tree(rendered)
    assert deploy("render", "rendered", "--profile", "4xa100").exit_code == 2
    assert tree(rendered) == before


def test_one_that_fails_leaves_all_as_they_were(deploy: Deploy, fleet: Path, rendered: Path) -> None:
    before = tree(rendered)
    write(fleet / "base.yaml", "profile: 4xa100\nteam: other\n")
    write(fleet / "staging" / "chat" / "deploy.yaml", "profile: 1xa100\nname: chat\nmodel: Qwen/Qwen2.5-72B-Instruct\n")
    found = deploy(*RENDER)
    assert found.exit_code == 3
    assert found.stderr.startswith("Error: clusters/staging/chat/deploy.yaml: Qwen/Qwen2.5-72B-Instruct does not fit")
    assert tree(rendered) == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"prod/chat/deploy.yaml": "name: x\nbase: no.yaml\n"}, "prod/chat/deploy.yaml:2: base: there is no file "),
        ({"prod/chat/deploy.yaml": "base: 3\n"}, "prod/chat/deploy.yaml:1: base: expected the path of a file"),
        ({"prod/chat/deploy.yaml": "base: deploy.yaml\n"}, "prod/chat/deploy.yaml:1: base: a file is not its own base"),
        (
            {"base.yaml": "profile: 4xa100\nbase: prod/chat/deploy.yaml\n"},
            "base.yaml:2: base: clusters/prod/chat/deploy.yaml and its base name each other",
        ),
        (
            {"base.yaml": "base: other.yaml\n", "other.yaml": "profile: 4xa100\n"},
            "base.yaml:1: base: a base has no base of its own",
        ),
        ({"base.yaml": "profile: 4xa100\nreplcias: 1\n"}, "base.yaml:2: replcias: unknown key"),
        ({"base.yaml": "profile: 4xa100\nreplicas: 0\n"}, "base.yaml:2: replicas: must be from 1"),
        (
            {"prod/chat/deploy.yaml": "base: ../../../outside.yaml\n"},
            "prod/chat/deploy.yaml:1: base: outside.yaml lies",
        ),
        (
            {"prod/code/deploy.yaml": overlay("chat", "prod")},
            "prod/code/deploy.yaml:2: name: clusters/prod/chat/deploy.yaml has the same name, 'chat', in the same "
            "namespace, 'llm-prod'",
        ),
        ({"base.yaml": "a\n<<<<<<< HEAD\n"}, "base.yaml:2: it holds the marks of a merge conflict"),
        ({"deploy.yaml": "profile: 4xa100\n"}, "prod/chat/deploy.yaml: it lies in the folder of another"),
        ({"prod/chat/deep/deploy.yaml": "profile: 4xa100\n"}, "prod/chat/deep/deploy.yaml: it lies in the folder of"),
    ],
)
@pytest.mark.parametrize("verb", [RENDER, ("cost", "clusters")])
def test_bad_input_is_told_by_file_and_line(
    deploy: Deploy, fleet: Path, files: dict[str, str], message: str, verb: tuple[str, ...]
) -> None:
    write(fleet.parent / "outside.yaml", "profile: 4xa100\n")
    for name, text in files.items():
        write(fleet / name, text)
    assert refused(deploy(*verb)).startswith(f"Error: clusters/{message}")


def test_a_file_that_is_not_utf8(deploy: Deploy, fleet: Path) -> None:
    (fleet / "prod" / "chat" / "deploy.yaml").write_bytes(b"profile: 4xa100\nname: \xe9\n")
    said = refused(deploy(*RENDER))
    assert said == "Error: clusters/prod/chat/deploy.yaml:2: cannot read it: it is not UTF-8 text\n"


@pytest.mark.parametrize("name", ["prod", "prod/chat/deploy.yaml", "base.yaml"])
def test_a_link_is_not_followed(deploy: Deploy, fleet: Path, name: str) -> None:
    (fleet / name).rename("outside")
    (fleet / name).symlink_to(Path("outside").absolute())
    assert refused(deploy(*RENDER)) == f"Error: clusters/{name}: it is a symlink; none is followed\n"


def test_what_is_no_fleet(deploy: Deploy, tmp_path: Path) -> None:
    assert refused(deploy(*RENDER)).startswith("Error: clusters is not a directory\nNext: ")
    assert "or --profile 4xa100" in refused(deploy("cost", "4xa100"))
    (tmp_path / "clusters").mkdir()
    assert refused(deploy(*RENDER)).startswith("Error: no deploy.yaml below clusters\nNext: ")


def test_flags_and_variables_do_not_reach_a_fleet(deploy: Deploy, fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = refused(deploy(*RENDER, "--replicas", "2"))
    assert said.startswith("Error: --replicas: a fleet takes its inputs from files\nNext: ")
    monkeypatch.setenv("BREAKEVEN_REPLICAS", "2")
    assert refused(deploy("cost", "clusters")).startswith("Error: BREAKEVEN_REPLICAS: a fleet takes its inputs")


def test_the_bill_by_team_by_environment_and_in_total(deploy: Deploy, fleet: Path) -> None:
    lines = [line.split() for line in deploy("cost", "clusters").stdout.splitlines()]
    # 4xa100: 8,000 + 1,000 operations + 500 setup; 8xh100: the rest of the total.
    assert lines[2][:4] == ["search", "2", "8", "$19,000.00"]
    assert [line[0] for line in lines if line] == (
        ["Team", "dev", "search", "Total", "Environment", "prod", "staging", "Total", "Prices"]
    )


def test_groups_add_up_to_the_total(deploy: Deploy, fleet: Path) -> None:
    write(fleet / "lab" / "deploy.yaml", "profile: 1xa100\nweights:\n  storage: pvc\n")
    found = json.loads(deploy("cost", "clusters", "-o", "json").stdout)
    alone = json.loads(deploy("cost", "-f", "clusters/prod/code/deploy.yaml", "-o", "json").stdout)
    assert alone["self_hosted"]["monthly_usd"] in {one["monthly_usd"] for one in found["deployments"]}
    for groups in (found["teams"], found["environments"], found["deployments"]):
        assert sum(Decimal(group["monthly_usd"]) for group in groups) == Decimal(found["total"]["monthly_usd"])
    assert found["total"]["at_least"] is True
    assert [group["name"] for group in found["teams"] if group["at_least"]] == ["(none)"]


def test_what_is_over_its_budget_is_told_and_is_an_answer(deploy: Deploy, fleet: Path) -> None:
    """4xa100 costs 9,500 each, and the fleet 50,500. A limit on a rise does not bind a bill as it stands."""
    base = fleet / "base.yaml"
    write(base, f"{base.read_text()}budget:\n  max_usd_per_month: 9499.99\n  max_increase_usd: 0\n")
    write(fleet / "fleet.yaml", "budget:\n  max_usd_per_month: 50500\n")
    found = deploy("cost", "clusters")
    assert found.exit_code == 0
    told = [line for line in found.stdout.splitlines() if line.startswith("- ✗ ")]
    assert told[0] == "- ✗ prod/chat: the bill is $9,500.00 a month, max_usd_per_month is $9,499.99"
    assert [line.split()[2] for line in told] == ["prod/chat:", "prod/code:", "staging/chat:"]
    write(fleet / "fleet.yaml", "budget:\n  max_usd_per_month: 50499\n")
    whole = "the whole: the bill is $50,500.00 a month, max_usd_per_month is $50,499.00"
    assert f"- ✗ {whole}\n- ✗ prod/chat: " in deploy("cost", "clusters").stdout
    assert json.loads(deploy("cost", "clusters", "-o", "json").stdout)["over_budget"] == [whole]


def test_a_budget_of_the_whole_that_is_wrong(deploy: Deploy, fleet: Path) -> None:
    write(fleet / "fleet.yaml", "budget:\n  max_usd: 1\n")
    assert refused(deploy(*RENDER)).startswith("Error: clusters/fleet.yaml:2: budget.max_usd: unknown key; expected")


def test_where_no_file_names_a_team_the_table_is_by_deployment(deploy: Deploy) -> None:
    write(Path("clusters/chat/deploy.yaml"), "profile: 4xa100\n")
    write(Path("clusters/code/deploy.yaml"), "profile: 8xh100\n")
    found = deploy("cost", "clusters")
    assert [line.split()[0] for line in found.output.splitlines()[:4]] == ["Deployment", "chat", "code", "Total"]
