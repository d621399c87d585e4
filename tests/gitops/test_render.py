"""`deploy render OUT`: what is committed, checked and refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from tests.gitops.files import write

from breakeven import render, resources
from breakeven.core.plan import Plan
from breakeven.engine import tools
from breakeven.errors import InputError

Deploy = Callable[..., Result]

PROFILE = ("--profile", "4xa100")
CONTRACT = """\
- comparator: openai/gpt-4o
  usd_per_million_input_tokens: 2.00
  usd_per_million_output_tokens: 8.00
  source: contract 17
  checked: 2026-10-01
"""
LOCK = Path("out/breakeven.lock.json")
VALUES = Path("out/values.yaml")


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def out(deploy: Deploy) -> Path:
    found = deploy("render", "out", *PROFILE)
    assert found.exit_code == 0, found.output
    return Path("out")


def refused(found: Result, code: int = 2) -> str:
    assert found.exit_code == code, found.output
    assert found.stdout == ""
    return found.stderr


def test_kubectl_takes_the_kustomization_as_it_is(out: Path) -> None:
    tools.require("kube")
    command = [str(tools.path("kubectl")), "kustomize", str(out)]
    built = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kinds = [document["kind"] for document in yaml.safe_load_all(built)]
    assert sorted(kinds) == ["Deployment", "Namespace", "Service", "ServiceAccount"]


def test_the_lock_file_tells_inputs_plan_prices_and_bill(out: Path) -> None:
    lock = json.loads(LOCK.read_bytes())
    assert (lock["schema"], lock["tool"]) == ("breakeven.lock/1", "breakeven 0.1.0")
    assert lock["inputs"]["deployment"]["profile"] == "4xa100"
    assert lock["plan"]["gpus"] == 4
    assert all(line["source"] for line in lock["cost"]["lines"])
    assert {api["comparator"] for api in lock["api"]} >= {"openai/gpt-4o"}
    assert all("genai-prices" in api["source"] for api in lock["api"])
    assert set(lock["files"]) == tree(out).keys() - {LOCK.name}


def test_the_digest_of_the_inputs_follows_them(deploy: Deploy, out: Path) -> None:
    before = json.loads(LOCK.read_bytes())["inputs"]["sha256"]
    deploy("render", "out", *PROFILE, "--ops-usd-per-month", "1")
    assert json.loads(LOCK.read_bytes())["inputs"]["sha256"] != before


@pytest.mark.parametrize("whole", ["budget: {max_usd_per_month: 1000000}\n", "helm_releases: true\n"])
def test_another_machine_writes_the_same_bytes(deploy: Deploy, fleet: Path, sources: Path, whole: str) -> None:
    """Another home, time zone, language, encoding, order of hashing, umask, working directory and checkout."""
    write(fleet / "fleet.yaml", whole)
    write(fleet / "lab" / "deploy.yaml", "profile: 4xa100\nchart: {pod: {annotations: {team: Söders Köche}}}\n")
    assert deploy("render", "clusters", "--out", "out").exit_code == 0
    variables = {
        **{"HOME": "/nonexistent", "TZ": "Asia/Tokyo", "LC_ALL": "POSIX", "PYTHONHASHSEED": "7", "HELM_DEBUG": "1"},
        **{"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(sources / "cli"), "COLUMNS": "40"},
        "XDG_CACHE_HOME": str(resources.cache_dir().parent),
    }
    elsewhere = Path("elsewhere")
    elsewhere.mkdir()
    command = [sys.executable, "-m", "breakeven", "render", str(fleet.resolve()), "--out", "again"]
    subprocess.run(
        command, cwd=elsewhere, env={**os.environ, **variables}, umask=0o077, check=True, capture_output=True
    )
    assert "Söders Köche" in Path("out/lab/breakeven.lock.json").read_text(encoding="utf-8")
    assert tree(elsewhere / "again") == tree(Path("out"))


def test_a_check_of_what_is_current_says_nothing(deploy: Deploy, out: Path) -> None:
    found = deploy("render", "out", *PROFILE, "--check")
    assert (found.exit_code, found.output) == (0, "")


def test_a_check_shows_what_would_change_and_writes_nothing(deploy: Deploy, out: Path) -> None:
    before = tree(out)
    found = deploy("render", "out", *PROFILE, "--nodes", "2", "--check")
    assert found.exit_code == 7
    assert "--- out/values.yaml\n+++ out/values.yaml (rendered)\n@@ -" in found.stdout
    assert "\n-replicas: 1\n+replicas: 2\n" in found.stdout
    assert found.stderr == "Error: 5 files in out would change\nNext: run it without --check to write\n"
    assert tree(out) == before


def test_a_check_of_nothing_makes_nothing(deploy: Deploy) -> None:
    assert deploy("render", "out", *PROFILE, "--check").exit_code == 7
    assert not Path("out").exists()


def test_a_file_edited_by_hand_is_refused_at_its_line(deploy: Deploy, out: Path) -> None:
    path = out / "manifests" / "deployment-llm-4xa100.yaml"
    path.write_text(path.read_text().replace("replicas: 1", "replicas: 9"))
    before = tree(out)
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "replicas: 9" in text)
    said = refused(deploy("render", "out", *PROFILE))
    assert said.startswith(f"Error: {path}:{line}: it was changed since it was rendered\nNext: put the change into ")
    assert tree(out) == before


@pytest.mark.parametrize(
    ("path", "data", "message"),
    [
        (VALUES, b"a: 1\nb: \xff\n", "out/values.yaml:2: cannot read it: it is not UTF-8 text"),
        (VALUES, b"a\n<<<<<<< HEAD\nb\n", "out/values.yaml:2: it holds the marks of a merge conflict"),
        (LOCK, b'{\n"files": \xff}', "out/breakeven.lock.json:2: cannot read it: it is not UTF-8 text"),
        (LOCK, b"{\n<<<<<<< HEAD\n", "out/breakeven.lock.json:2: it holds the marks of a merge conflict"),
        (LOCK, b'{\n "files": {},\n', "out/breakeven.lock.json:3: it is not a lock file: Expecting property name"),
        (LOCK, b"[]", "out/breakeven.lock.json:1: it is not a lock file: its `files` are missing"),
        (LOCK, b'{"files": {}, "schema": "x"}', "out/breakeven.lock.json:1: schema: it is not a lock file: expected"),
    ],
)
def test_a_damaged_file_is_refused_at_its_line(
    deploy: Deploy, out: Path, path: Path, data: bytes, message: str
) -> None:
    path.write_bytes(data)
    before = tree(out)
    assert refused(deploy("render", "out", *PROFILE)).startswith(f"Error: {message}")
    assert tree(out) == before


@pytest.mark.parametrize(
    ("ours", "theirs", "key"),
    [("breakeven.lock/1", "breakeven.lock/2", "schema"), ("breakeven 0.1.0", "breakeven 0.10.0", "tool")],
)
@pytest.mark.parametrize("check", [(), ("--check",)])
def test_a_lock_file_of_a_newer_version(
    deploy: Deploy, out: Path, ours: str, theirs: str, key: str, check: tuple[str, ...]
) -> None:
    LOCK.write_text(LOCK.read_text().replace(f'"{ours}"', f'"{theirs}"'))
    line = next(number for number, text in enumerate(LOCK.read_text().splitlines(), 1) if theirs in text)
    said = refused(deploy("render", "out", *PROFILE, *check))
    assert said.startswith(f"Error: {LOCK}:{line}: {key}: a newer version wrote it: {theirs}; this one is {ours}\n")


def test_a_lock_file_of_an_older_version_is_taken(deploy: Deploy, out: Path) -> None:
    LOCK.write_text(LOCK.read_text().replace("breakeven 0.1.0", "breakeven 0.0.9"))
    assert deploy("render", "out", *PROFILE).exit_code == 0


@pytest.mark.parametrize("name", ["out", "out/manifests", "out/values.yaml", "out/manifests/extra.yaml"])
@pytest.mark.parametrize("check", [(), ("--check",)])
def test_no_link_is_followed(deploy: Deploy, out: Path, name: str, check: tuple[str, ...]) -> None:
    Path("precious").mkdir()
    link = Path(name)
    if link.exists():
        link.rename("moved")
    link.symlink_to(Path("precious").absolute())
    assert "link" in refused(deploy("render", "out", *PROFILE, *check)) or name == "out"
    assert list(Path("precious").iterdir()) == []


def test_an_unknown_price_is_refused_as_up_refuses_it(deploy: Deploy) -> None:
    said = refused(deploy("render", "out", *PROFILE, "--weights-storage", "pvc"), 6)
    assert said.startswith("Error: the price of Weights storage is unknown; nothing was rendered\nNext: give it in ")
    assert not Path("out").exists()


def test_a_secret_in_plain_text_is_refused(
    planned: Callable[..., Plan], helm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"token": "canary"}}
    monkeypatch.setattr(render, "manifests", lambda plan, helm: [secret])
    with pytest.raises(InputError, match="Secret x: stringData is a secret in plain text") as raised:
        render.files(planned("4xa100"), helm)
    assert "canary" not in str(raised.value)


def test_crds_lie_apart(planned: Callable[..., Plan], helm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crd = {"kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"}}
    namespace = render.namespace_manifest(planned("4xa100"))
    monkeypatch.setattr(render, "manifests", lambda plan, helm: [namespace, crd])
    files = render.files(planned("4xa100"), helm)
    assert yaml.safe_load(files["crds/kustomization.yaml"])["resources"] == ["things.example.com.yaml"]
    assert yaml.safe_load(files["kustomization.yaml"])["resources"] == ["manifests/namespace-llm-4xa100.yaml"]


def test_a_token_in_a_deployment_file_is_refused(deploy: Deploy) -> None:
    write(Path("deploy.yaml"), "profile: 4xa100\nprices: {api_overrides: contract.yaml}\n")
    write(Path("contract.yaml"), CONTRACT.replace("contract 17", "hf_abcdefghijklmnopqrstuvwx"))
    said = refused(deploy("render", "out"))
    assert said.startswith("Error: deploy.yaml: prices.api_overrides[0].source is a secret in plain text; nothing was")
    assert "hf_" not in said


def test_what_a_path_stands_for_is_rendered_alike_from_anywhere(
    deploy: Deploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prices and a model's config.json lie beside the deploy.yaml that names them; a new clone has another mtime."""
    text = "profile: 4xa100\nmodel: Qwen--Qwen3-8B.json\nprices: {api_overrides: contract.yaml}\n"
    config = resources.root() / "tests" / "data" / "model_configs" / "Qwen--Qwen3-8B.json"
    for folder in (Path("clusters/chat"), Path("clone/chat")):
        write(folder / "deploy.yaml", text)
        write(folder / "contract.yaml", CONTRACT)
        write(folder / config.name, config.read_text(encoding="utf-8"))
    os.utime(Path("clone/chat") / config.name, (0, 0))
    assert deploy("render", "clusters", "--out", "out").exit_code == 0
    lock = json.loads(Path("out/chat/breakeven.lock.json").read_bytes())
    assert lock["inputs"]["deployment"]["model"] == "Qwen/Qwen3-8B"
    assert [api["source"] for api in lock["api"] if "contract 17" in api["source"]] != []
    assert deploy("render", "alone", "-f", "clone/chat/deploy.yaml").exit_code == 0
    monkeypatch.chdir(tmp_path / "clone" / "chat")
    assert deploy("render", str(tmp_path / "alone"), "--check").output == ""
    assert deploy("render", str(tmp_path / "clone"), "--out", str(tmp_path / "out"), "--check").output == ""


@pytest.mark.parametrize("given", [(), PROFILE])
def test_a_directory_of_inputs_is_no_output(deploy: Deploy, fleet: Path, given: tuple[str, ...]) -> None:
    said = refused(deploy("render", "clusters", *given))
    assert said.startswith("Error: clusters: it is a fleet: clusters/prod/chat/deploy.yaml lies in it\nNext: ")
    assert "`deploy render clusters --out OUT`" in said
    said = refused(deploy("render", "clusters/prod/chat", *given))
    assert said.startswith("Error: clusters/prod/chat: a deployment lies there\nNext: ")
    assert "`deploy render OUT -f clusters/prod/chat/deploy.yaml`" in said
