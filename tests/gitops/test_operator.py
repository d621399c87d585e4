"""`deploy init --gitops pulumi-operator`: stacks for the deployments of a fleet, with references and no secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from breakeven import resources
from breakeven.core.plaintext import plaintext_secrets
from breakeven.engine.programs import PULUMI_VERSION

Deploy = Callable[..., Result]

INIT = ("init", "--gitops", "pulumi-operator", "--repository", "https://github.com/acme/llm", "--backend")
STACKS = Path("gitops/pulumi-operator/stacks")
PROJECT = Path("gitops/pulumi-operator/project")


@pytest.fixture
def chat(deploy: Deploy) -> Path:
    folder = Path("clusters/prod/chat")
    folder.mkdir(parents=True)
    (folder / "deploy.yaml").write_text("profile: 4xa100\nname: chat\n", encoding="utf-8")
    return folder


def read(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((STACKS / "chat" / name).read_text(encoding="utf-8")))


def test_a_deployment_gets_an_account_and_two_stacks(deploy: Deploy, chat: Path) -> None:
    assert deploy(*INIT, "s3://acme-pulumi").exit_code == 0
    (apply,), (preview,) = read("apply.yaml"), read("preview.yaml")
    assert (apply["metadata"]["name"], preview["metadata"]["name"]) == ("chat", "chat-preview")
    assert {one["metadata"]["namespace"] for one in (apply, preview)} == {"llm-chat"}
    assert "preview" not in apply["spec"]
    assert preview["spec"]["preview"] is True
    # The preview must not heal the stack.
    assert "continueResyncOnCommitMatch" not in preview["spec"]
    own = {"preview", "prerequisites", "continueResyncOnCommitMatch", "resyncFrequencySeconds"}
    shared = [{key: value for key, value in one["spec"].items() if key not in own} for one in (apply, preview)]
    assert shared[0] == shared[1]
    assert shared[0]["backend"] == "s3://acme-pulumi"
    assert shared[0]["workspaceTemplate"]["spec"]["image"] == f"pulumi/pulumi:{PULUMI_VERSION}-nonroot"
    file = PROJECT / shared[0]["config"]["breakeven:file"]
    assert file.resolve() == (chat / "deploy.yaml").resolve()
    assert (Path() / shared[0]["repoDir"] / "Pulumi.yaml").is_file()


@pytest.mark.parametrize(
    ("backend", "variable", "key"),
    [
        ("s3://acme-pulumi?region=eu-west-1", "PULUMI_CONFIG_PASSPHRASE", "passphrase"),
        ("https://api.pulumi.com", "PULUMI_ACCESS_TOKEN", "token"),
    ],
)
@pytest.mark.usefixtures("chat")
def test_secrets_are_named_and_never_written(deploy: Deploy, backend: str, variable: str, key: str) -> None:
    deploy(*INIT, backend)
    found = read("apply.yaml")[0]["spec"]["envRefs"]
    assert found[variable] == {"type": "Secret", "secret": {"name": "breakeven-state", "key": key}}
    for path in Path("gitops").rglob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            assert list(plaintext_secrets(document)) == []
            assert document["kind"] != "Secret" if "kind" in document else True


@pytest.mark.usefixtures("chat")
def test_the_role_is_for_the_kinds_of_the_chart(deploy: Deploy) -> None:
    deploy(*INIT, "gs://acme")
    account, role, binding, delegator = read("account.yaml")
    written = {(group, kind) for rule in role["rules"] for group in rule["apiGroups"] for kind in rule["resources"]}
    golden = resources.root() / "tests" / "golden"
    made = {
        (manifest["apiVersion"].rpartition("/")[0], plural(manifest["kind"]))
        for path in golden.rglob("*.yaml")
        if not path.name.endswith("values.yaml")
        for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if manifest["kind"] != "Namespace"
    }
    assert len(made) > 5
    assert made <= written
    assert not {kind for _, kind in written} & {"secrets", "roles", "rolebindings", "namespaces", "nodes", "*"}
    assert account["kind"] == "ServiceAccount"
    assert (binding["kind"], binding["roleRef"]["kind"]) == ("RoleBinding", "Role")
    assert delegator["roleRef"]["name"] == "system:auth-delegator"


def plural(kind: str) -> str:
    lower = kind.lower()
    return f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}es" if lower.endswith("s") else f"{lower}s"


@pytest.mark.usefixtures("chat")
def test_what_would_not_work_is_refused(deploy: Deploy) -> None:
    for backend in ("file:///state", "s3://a\nb: c", ""):
        found = deploy(*INIT, backend)
        assert found.exit_code == 2
        assert "Error: --backend: " in found.stderr
    assert not Path("gitops").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: 4xa100\nname: chat\nnamespace: other\n", "has the same name, 'chat'"),
        (f"profile: 4xa100\nname: {'a' * 35}\n", "names of up to 34 characters"),
    ],
)
@pytest.mark.usefixtures("chat")
def test_a_name_that_the_operator_cannot_take_is_refused(deploy: Deploy, text: str, message: str) -> None:
    other = Path("clusters/test/chat/deploy.yaml")
    other.parent.mkdir(parents=True)
    other.write_text(text, encoding="utf-8")
    found = deploy(*INIT, "s3://acme")
    assert found.exit_code == 2
    assert found.stderr.startswith("Error: clusters/test/chat/deploy.yaml: ")
    assert message in found.stderr
    assert not Path("gitops").exists()


def test_it_needs_deployments(deploy: Deploy) -> None:
    found = deploy(*INIT, "s3://acme")
    assert found.exit_code == 2
    assert "clusters is not a directory" in found.stderr
