from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.deployment import Deployment
from breakeven.errors import InputError
from breakeven.yaml_source import Source

ABOVE = "must be above 0 and below 1,000,000,000,000, got"
COUNT = "must be from 1 to 5,000, got"


def refusal(text: str) -> str:
    """What `d.yaml` with this text is refused with."""
    with pytest.raises(InputError) as raised:
        Source.parse(text, "d.yaml").convert(Deployment)
    assert raised.value.exit_code == 2
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # Malformed.
        ("profile: [", "d.yaml:2: malformed YAML: while parsing a flow node, did not find expected node content"),
        ("profile: a\n b: c\n", "d.yaml:2: malformed YAML: mapping values are not allowed in this context"),
        (
            "profile: a\n---\nprofile: b\n",
            "d.yaml:2: malformed YAML: expected a single document in the stream, but found another document",
        ),
        ("? [a]\n: b\n", "d.yaml:1: malformed YAML: while constructing a mapping, found unhashable key"),
        ("profile: *nowhere\n", "d.yaml:1: malformed YAML: found undefined alias"),
        (
            "profile: !!python/object/apply:os.system [true]\n",
            "d.yaml:1: malformed YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system'",
        ),
        ("profile: 2026-13-45\n", "d.yaml:1: malformed YAML: month must be in 1..12"),
        # Keys.
        ("profile: a\nprofile: b\n", "d.yaml:2: profile: duplicate key"),
        (
            "profile: a\nworkload:\n  input_tokens: 1\n  input_tokens: 2\n",
            "d.yaml:4: workload.input_tokens: duplicate key",
        ),
        (
            "profile: a\nworkload:\n  input_token: 1\n",
            "d.yaml:3: workload.input_token: unknown key; "
            "expected one of cached_share, input_tokens, output_tokens, peak_to_mean, requests_per_month",
        ),
        ("name: a\n", "d.yaml:1: profile: is required"),
        ("profile: a\n1: b\n", "d.yaml:2: 1: unknown key; expected one of "),
        # Types.
        ("", "d.yaml: expected a mapping of keys, got nothing"),
        ("# nothing\n", "d.yaml: expected a mapping of keys, got nothing"),
        ("- a\n", "d.yaml:1: expected a mapping of keys, got a list"),
        ("profile\n", "d.yaml:1: expected a mapping of keys, got 'profile'"),
        ("profile: 4\n", "d.yaml:1: profile: expected text, got 4"),
        ("profile: [a]\n", "d.yaml:1: profile: expected text, got a list"),
        ("profile: a\nreplicas: two\n", "d.yaml:2: replicas: expected a whole number, got 'two'"),
        ("profile: a\nreplicas: 1.5\n", "d.yaml:2: replicas: expected a whole number, got 1.5"),
        ("profile: a\nreplicas: true\n", "d.yaml:2: replicas: expected a whole number, got True"),
        ("profile: a\nworkload: 5\n", "d.yaml:2: workload: expected a mapping of keys, got 5"),
        ("profile: a\nworkload:\n", "d.yaml:2: workload: expected a mapping of keys, got nothing"),
        (
            "profile: a\nweights: {storage: disk}\n",
            "d.yaml:2: weights.storage: expected one of emptyDir, pvc, ephemeral, image, bucket, got 'disk'",
        ),
        (
            "profile: a\nweights: {storage: [pvc]}\n",
            "d.yaml:2: weights.storage: expected one of emptyDir, pvc, ephemeral, image, bucket, got a list",
        ),
        # The chart's section.
        ("profile: a\nchart:\n  args: [--x]\n", "d.yaml:3: chart.args: unknown key; expected one of "),
        (
            "profile: a\nchart:\n  placement:\n    tolerations:\n    - {key: a b}\n",
            "d.yaml:5: chart.placement.tolerations[0].key: must be a key of labels such as example.com/team, got 'a b'",
        ),
        (
            "profile: a\nchart:\n  pod:\n    labels: {team: 5}\n",
            "d.yaml:4: chart.pod.labels.team: expected text, got 5",
        ),
        ("profile: a\nchart:\n  pod:\n    labels: [a]\n", "d.yaml:4: chart.pod.labels: expected a mapping, got a list"),
        (
            "profile: a\nchart:\n  placement:\n    tolerations: [{key: a, effect: Never}]\n",
            "d.yaml:4: chart.placement.tolerations[0].effect: "
            "expected one of NoSchedule, PreferNoSchedule, NoExecute, got 'Never'",
        ),
        # Amounts.
        (
            "profile: a\nprices:\n  ops_usd_per_month: much\n",
            "d.yaml:3: prices.ops_usd_per_month: expected an amount of USD, got 'much'",
        ),
        (
            "profile: a\nprices:\n  ops_usd_per_month: true\n",
            "d.yaml:3: prices.ops_usd_per_month: expected an amount of USD, got True",
        ),
        (
            "profile: a\nprices:\n  ops_usd_per_month: .nan\n",
            "d.yaml:3: prices.ops_usd_per_month: expected an amount of USD, got nan",
        ),
        (
            "profile: a\nprices:\n  ops_usd_per_month: -.inf\n",
            "d.yaml:3: prices.ops_usd_per_month: expected an amount of USD, got -inf",
        ),
        (
            "profile: a\nprices:\n  ops_usd_per_month: sNaN\n",
            "d.yaml:3: prices.ops_usd_per_month: expected an amount of USD, got 'sNaN'",
        ),
        (
            "profile: a\nprices:\n  ops_usd_per_month: -1\n",
            "d.yaml:3: prices.ops_usd_per_month: must be 0 or above and below 1,000,000,000,000, got -1",
        ),
        # Values.
        ("profile: a\nreplicas: 0\n", f"d.yaml:2: replicas: {COUNT} 0"),
        ("profile: a\nreplicas: -2\n", f"d.yaml:2: replicas: {COUNT} -2"),
        ("profile: a\nnodes: 1000000000000\n", f"d.yaml:2: nodes: {COUNT} 1,000,000,000,000"),
        (
            "profile: a\nworkload:\n  requests_per_month: -5\n",
            f"d.yaml:3: workload.requests_per_month: {ABOVE} -5",
        ),
        (
            "profile: a\nname: Chat\n",
            "d.yaml:2: name: must be at most 40 of a-z, 0-9 and '-', and begin and end with a-z or 0-9, got 'Chat'",
        ),
        (
            "profile: a\nreplicas: 1\nnodes: 1\n",
            "d.yaml:1: give replicas (vLLM servers) or nodes (of the profile), not both",
        ),
    ],
)
def test_bad_input_is_named_by_line_and_key(text: str, message: str) -> None:
    found = refusal(text)
    assert found == message or (message.endswith("one of ") and found.startswith(message))


def test_an_item_of_a_list_is_named_by_its_index() -> None:
    with pytest.raises(InputError) as raised:
        Source.parse("- a\n- 2\n", "c.yaml").convert(tuple[str, ...])
    assert str(raised.value) == "c.yaml:2: [1]: expected text, got 2"


def test_long_values_are_shortened() -> None:
    assert refusal(f"profile: a\nreplicas: {'9' * 4000}x\n") == (
        f"d.yaml:2: replicas: expected a whole number, got '{'9' * 56}…"
    )


def test_a_number_beyond_pythons_own_limit_is_malformed() -> None:
    assert refusal(f"profile: a\nreplicas: {'9' * 5000}\n").startswith("d.yaml:2: malformed YAML: Exceeds the limit")


def test_deep_nesting_is_refused() -> None:
    assert refusal("[" * 2000 + "]" * 2000).startswith("d.yaml")


@pytest.mark.timeout(10)
def test_aliases_may_nest_without_end() -> None:
    assert refusal("profile: &a [*a]\n") == "d.yaml:1: profile: expected text, got a list"
    bomb = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" if n else "l0: &l0 [x]\n" for n in range(30))
    assert refusal(bomb).startswith("d.yaml:1: l0: unknown key")


def test_merged_keys_may_be_overridden() -> None:
    text = "profile: a\nworkload:\n  <<: {input_tokens: 1, output_tokens: 2}\n  input_tokens: 3\n"
    workload = Source.parse(text, "d.yaml").convert(Deployment).workload
    assert (workload.input_tokens, workload.output_tokens) == (3, 2)


def test_money_is_what_was_written() -> None:
    found = Source.parse("profile: a\nprices: {ops_usd_per_month: 0.1, setup_usd_per_month: '0.10'}\n", "d.yaml")
    prices = found.convert(Deployment).prices
    assert (str(prices.ops_usd_per_month), str(prices.setup_usd_per_month)) == ("0.1", "0.10")


def test_an_unreadable_file(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    with pytest.raises(InputError) as raised:
        Source.read(missing)
    assert str(raised.value) == f"{missing}: cannot read it: No such file or directory"
    with pytest.raises(InputError, match="cannot read it: Is a directory"):
        Source.read(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n", b"profile: \xe9\n"])
def test_a_binary_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "d.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        Source.read(path)
    assert str(raised.value) == f"{path}:1: cannot read it: it is not UTF-8 text"


def test_control_characters_are_malformed() -> None:
    assert refusal("profile: a\0b\n").startswith("d.yaml")


def test_a_flag_speaks_for_itself() -> None:
    source = Source.parse("profile: a\nreplicas: 1\n", "d.yaml")
    source.lay(("replicas",), -1, "--replicas")
    with pytest.raises(InputError) as raised:
        source.convert(Deployment)
    assert str(raised.value) == f"--replicas: {COUNT} -1"


def test_a_flag_below_an_absent_or_empty_key() -> None:
    for text in ("profile: a\n", "profile: a\nworkload:\n"):
        source = Source.parse(text, "d.yaml")
        source.lay(("workload", "input_tokens"), 7, "--input-tokens")
        assert source.convert(Deployment).workload.input_tokens == 7


def test_a_flag_does_not_hide_what_is_wrong_in_the_file() -> None:
    source = Source.parse("profile: a\nworkload: 5\n", "d.yaml")
    source.lay(("workload", "input_tokens"), 7, "--input-tokens")
    with pytest.raises(InputError, match=r"d\.yaml:2: workload: expected a mapping of keys, got 5"):
        source.convert(Deployment)


@given(st.text(max_size=60))
def test_any_text_is_taken_or_refused_with_its_file(text: str) -> None:
    try:
        found = Source.parse(text, "d.yaml").convert(Deployment)
    except InputError as error:
        assert str(error).startswith("d.yaml")
    else:
        assert found.profile


@pytest.mark.parametrize(
    ("value", "problem"),
    [("2026-13-45", "month must be in 1..12"), ("2026-01-01 25:00:00", "hour must be in 0..23"), ("0x_", "invalid")],
)
def test_a_scalar_that_is_no_date_or_number_has_its_line(value: str, problem: str) -> None:
    with pytest.raises(InputError, match=rf"^d\.yaml:2: malformed YAML: .*{re.escape(problem)}"):
        Source.parse(f"a: 1\nb: {value}\n", "d.yaml")
