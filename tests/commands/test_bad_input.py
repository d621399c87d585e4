"""What is wrong is said once, with its place or the next step, and with the right exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Deploy = Callable[..., Result]

PROFILE = ("--profile", "4xa100")
CONFIGS = Path(__file__).parents[1] / "data" / "model_configs"


def refused(found: Result, code: int = 2) -> str:
    assert found.exit_code == code, found.output
    assert found.stdout == ""
    return found.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: [4xa100\n", "deploy.yaml:2: malformed YAML: while parsing a flow sequence, did not find expected"),
        ("profile: 4xa100\nprofile: x\n", "deploy.yaml:2: profile: duplicate key"),
        ("profile: 4xa100\nreplcias: 2\n", "deploy.yaml:2: replcias: unknown key; expected one of budget, chart,"),
        ("profile: 4xa100\nreplicas: '2'\n", "deploy.yaml:2: replicas: expected a whole number, got '2'"),
        ("profile: 4xa100\nreplicas: .inf\n", "deploy.yaml:2: replicas: expected a whole number, got inf"),
        ("profile: 4xa100\nreplicas: 5001\n", "deploy.yaml:2: replicas: must be from 1 to 5,000, got 5,001"),
        ("profile: 4xa100\nprices:\n  ops_usd_per_month: .nan\n", "deploy.yaml:3: prices.ops_usd_per_month: expected"),
        ("profile: 4xa100\nname: ../x\n", "deploy.yaml:2: name: must be at most 40 of a-z, 0-9 and '-'"),
        ("profile: 4xa100\nnamespace: kube-system\n", "deploy.yaml:2: namespace: must not begin with kube-: those"),
        ("profile: 4xa100\nreplicas: 2\nnodes: 2\n", "deploy.yaml:1: give replicas (vLLM servers) or nodes"),
        (
            "profile: a\n---\nprofile: b\n",
            "deploy.yaml:2: malformed YAML: expected a single document in the stream, but",
        ),
        ("- profile\n", "deploy.yaml:1: expected a mapping of keys, got a list"),
        ("", "deploy.yaml: profile: is required"),
    ],
)
def test_a_file_is_refused_at_its_line(deploy: Deploy, text: str, message: str) -> None:
    Path("deploy.yaml").write_text(text, encoding="utf-8")
    assert refused(deploy("cost")).startswith(f"Error: {message}")


def test_a_deploy_yaml_that_is_no_file_is_not_passed_over(deploy: Deploy) -> None:
    Path("deploy.yaml").mkdir()
    assert refused(deploy("cost", *PROFILE)) == "Error: deploy.yaml: cannot read it: Is a directory\n"
    Path("deploy.yaml").rmdir()
    Path("deploy.yaml").symlink_to("nowhere")
    assert refused(deploy("cost", *PROFILE)) == "Error: deploy.yaml: cannot read it: No such file or directory\n"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("BREAKEVEN_REPLICAS", "0", "Error: BREAKEVEN_REPLICAS: must be from 1 to 5,000, got 0"),
        ("BREAKEVEN_COST_REPLICAS", "-1", "Error: BREAKEVEN_COST_REPLICAS: must be from 1 to 5,000, got -1"),
        ("BREAKEVEN_REPLICAS", "two", "Error: Invalid value for 'BREAKEVEN_REPLICAS': 'two' is not a valid integer."),
        (
            "BREAKEVEN_OPS_USD_PER_MONTH",
            "nan",
            "Error: BREAKEVEN_OPS_USD_PER_MONTH: expected an amount of USD, got NaN",
        ),
        ("BREAKEVEN_NAME", "../x", "Error: BREAKEVEN_NAME: must be at most 40 of a-z"),
    ],
)
def test_a_variable_is_named(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert message in refused(deploy("cost", *PROFILE))


def test_flags_go_before_variables_before_the_file(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("deploy.yaml").write_text("profile: 4xa100\nreplicas: 2\n", encoding="utf-8")
    assert "· 2 replicas ×" in deploy("cost").stdout
    monkeypatch.setenv("BREAKEVEN_REPLICAS", "3")
    assert "· 3 replicas ×" in deploy("cost").stdout
    monkeypatch.setenv("BREAKEVEN_COST_REPLICAS", "4")
    assert "· 4 replicas ×" in deploy("cost").stdout
    assert "· 5 replicas ×" in deploy("cost", "--replicas", "5").stdout


@pytest.mark.parametrize("verb", [("up", "--yes"), ("preview",), ("render", "out")])
def test_weights_have_no_name_to_be_downloaded_by(deploy: Deploy, verb: tuple[str, ...]) -> None:
    config = CONFIGS / "Qwen--Qwen3-8B.json"
    Path("mine").mkdir()
    Path("mine/config.json").write_bytes(config.read_bytes())
    said = refused(deploy(*verb, *PROFILE, "--model", "mine/config.json"))
    assert "mine/config.json calls itself 'mine', a name that vLLM cannot download weights by\nNext: " in said
    assert "`deploy models`" in said
    assert "mine · 4 replicas" in deploy("cost", *PROFILE, "--model", "mine/config.json").stdout


def test_nodes_by_flag_replace_replicas_in_the_file(deploy: Deploy) -> None:
    Path("deploy.yaml").write_text("profile: 8xh100\nmodel: Qwen/Qwen3-8B\nreplicas: 2\n", encoding="utf-8")
    assert "16 replicas × 1 GPU · 2 nodes" in deploy("cost", "--nodes", "2").stdout


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"\xff\xfe", 2, "is not a kubeconfig: it is not YAML"),
        (b"", 2, "is not a kubeconfig"),
        (b"contexts: 3", 2, "is not a kubeconfig"),
        (b"contexts: [{}]", 2, "is not a kubeconfig"),
        (b"contexts: []", 2, "has no current context\nNext: choose one with --context NAME"),
        (b"current-context: b\ncontexts: [{name: a}]", 2, "unknown context 'b'"),
        (b"current-context: a\ncontexts: [{name: a}]", 5, "context a: Invalid kube-config file"),
        (b"current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\nclusters: 3", 5, "context a: "),
    ],
)
def test_a_broken_kubeconfig(deploy: Deploy, content: bytes, code: int, message: str) -> None:
    Path("config").write_bytes(content)
    said = refused(deploy("preview", *PROFILE, "--kubeconfig", "config"), code)
    assert message in said
    assert "unexpected" not in said


CLUSTER = """\
current-context: a
clusters: [{name: c, cluster: {server: "SERVER"}}]
contexts: [{name: a, context: {cluster: c, user: u}}]
users: [{name: u, user: USER}]
"""


@pytest.mark.parametrize(
    ("server", "user", "message"),
    [
        ("https://127.0.0.1:1", "{}", "https://127.0.0.1:1 is unreachable: Failed to establish a new connection"),
        ("nonsense", "{}", "context a: its server 'nonsense' is not a URL"),
        ("https://127.0.0.1:1", "{client-certificate: /no/c, client-key: /no/k}", "File does not exist: /no/c"),
        # A plugin that fails is logged by the library, which then goes on without credentials.
        ("https://127.0.0.1:1", "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such}}", "'no-such'"),
    ],
)
def test_a_cluster_that_cannot_be_reached(deploy: Deploy, server: str, user: str, message: str) -> None:
    Path("config").write_text(CLUSTER.replace("SERVER", server).replace("USER", user), encoding="utf-8")
    said = refused(deploy("preview", *PROFILE, "--kubeconfig", "config"), 5)
    assert message in said
    assert said.count("\n") == 2, said


def test_more_nodes_than_the_sandbox_takes(deploy: Deploy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("breakeven.engine.tools.require", lambda *names, progress: None)
    said = refused(deploy("up", *PROFILE, "--replicas", "101", "--sandbox", "--yes"))
    assert said.startswith("Error: 101 nodes are too many for the sandbox, which takes up to 100\nNext: ")
    assert not (tmp_path / "state").exists()


def test_missing_programs_and_no_go(deploy: Deploy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from breakeven.engine import go

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(go, "_candidates", lambda: iter(()))
    go.find.cache_clear()
    try:
        said = refused(deploy("render", "out", *PROFILE), 4)
    finally:
        go.find.cache_clear()
    assert said.startswith("Error: building the pinned programs needs Go 1.26 or newer\nNext: ")
    assert not (tmp_path / "out").exists()


def run(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """In a shell, with `deploy` for the command."""
    deploy = f"{sys.executable} -m breakeven"
    return subprocess.run(
        ["bash", "-c", command.replace("deploy", deploy)],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        encoding="latin-1",
    )


def test_a_closed_pipe_and_a_full_disk_are_no_crash() -> None:
    assert run("deploy profiles | head -0").stderr == ""
    if Path("/dev/full").exists():
        full = run("deploy profiles > /dev/full")
        assert (full.returncode, full.stderr) == (1, "Error: No space left on device\n")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_without_our_characters(encoding: str) -> None:
    shown = run("deploy profiles 4xa100 && deploy previw", PYTHONIOENCODING=encoding)
    assert shown.returncode == 2
    assert "Traceback" not in shown.stderr
    assert "Did you mean 'preview'?" in shown.stderr


@pytest.mark.parametrize("verb", [("cost",), ("preview",), ("render", "out")])
@pytest.mark.parametrize("in_base", [False, True])
def test_what_the_plan_refuses_names_its_line(deploy: Deploy, verb: tuple[str, ...], in_base: bool) -> None:
    """Be it in the file or in its base."""
    weights, own = "weights:\n  storage: pvc\n  access_mode: ReadWriteOnce\n", "replicas: 2\n"
    Path("base.yaml").write_text(weights if in_base else own, encoding="utf-8")
    text = f"base: base.yaml\nprofile: 4xa100\nmodel: Qwen/Qwen3-8B\n{own if in_base else weights}"
    Path("deploy.yaml").write_text(text, encoding="utf-8")
    place = "base.yaml:3" if in_base else "deploy.yaml:6"
    said = f"Error: {place}: weights.access_mode: ReadWriteOnce: one node holds the claim, but 2 replicas share it"
    assert refused(deploy(*verb)).startswith(said)


def test_what_a_flag_brought_is_no_line_of_the_file(deploy: Deploy) -> None:
    Path("deploy.yaml").write_text("profile: serverless\n", encoding="utf-8")
    said = refused(deploy("cost", "--weights-storage", "ephemeral"))
    assert said.startswith("Error: weights.storage: ephemeral is not for a serverless profile")
