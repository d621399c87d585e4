from __future__ import annotations

from breakeven.core.chart.choices import ChartChoices
from breakeven.core.chart.knative import features
from breakeven.core.chart.placement import Placement
from breakeven.core.chart.storage import Weights


def test_every_service_needs_its_placement() -> None:
    found = features(Weights(), ChartChoices())
    assert found == ("kubernetes.podspec-affinity", "kubernetes.podspec-tolerations")


def test_what_is_chosen_needs_more() -> None:
    chart = ChartChoices(placement=Placement(runtime_class="nvidia", priority_class="high"))
    found = features(Weights(storage="pvc", download=True), chart)
    assert [name.removeprefix("kubernetes.podspec-") for name in found[2:]] == [
        "persistent-volume-claim",
        "persistent-volume-write",
        "securitycontext",
        "init-containers",
        "runtimeclassname",
        "priorityclassname",
    ]
