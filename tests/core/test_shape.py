from __future__ import annotations

from dataclasses import replace

from breakeven import load
from breakeven.core.hardware import Offer
from breakeven.core.shape import Shape, of_accelerator, of_profile

PROFILES = tuple(load.profiles().values())
H100 = load.accelerators()["h100-80gb"]
A100 = load.accelerators()["a100-80gb"]

ONE = replace(load.offers()["runpod-secure-h100"], name="one", gpu_count=1)
EIGHT = replace(ONE, name="eight", gpu_count=8)
SIXTEEN = replace(ONE, name="sixteen", gpu_count=16)


def shapes(*offers: Offer, gpus: int | None = None) -> dict[int, Shape]:
    found = {shape.profile.gpus_per_node: shape for shape in of_accelerator(H100, gpus, offers, PROFILES)}
    return {size: shape for size, shape in found.items() if any(shape.prices)}


def names(shape: Shape) -> list[str | None]:
    return [offer.name if offer else None for offer in shape.prices]


def test_offers_of_several_gpus_are_sold_in_that_size_only() -> None:
    found = shapes(ONE, EIGHT, SIXTEEN)
    assert {size: names(shape) for size, shape in found.items()} == {
        1: ["one"],
        2: ["one"],
        4: ["one"],
        8: [None, "one", "eight"],
        16: ["one", "sixteen"],
    }
    assert set(shapes(EIGHT)) == {8}
    assert set(shapes(ONE, EIGHT, gpus=2)) == {2}
    assert shapes(EIGHT, gpus=2) == {}


def test_a_profile_stands_in_for_a_node_of_its_size() -> None:
    found = shapes(ONE, EIGHT, load.offers()["aws-p5"])
    assert found[8].profile is load.profile("8xh100")
    assert found[8].can_be_typed(None)
    assert found[8].can_be_typed(load.offers()["aws-p5"])
    assert not found[8].can_be_typed(EIGHT)
    assert found[4].base is load.profile("8xh100")
    assert not found[4].can_be_typed(ONE)
    assert found[4].profile.ops_usd_per_month == load.profile("8xh100").ops_usd_per_month
    assert found[4].profile.reference.usd_per_month is None


def test_serverless_offers_rent_no_node() -> None:
    modal = load.offers()["modal-a100-80gb"]
    (found,) = of_accelerator(A100, 1, [modal], [load.profile("serverless")])
    assert (found.profile.name, names(found)) == ("serverless", ["modal-a100-80gb"])
    assert not any(modal in shape.prices for shape in of_accelerator(A100, 2, [modal], PROFILES))


def test_a_profile_with_its_reference_rent() -> None:
    profile = load.profile("4xa100")
    assert names(of_profile(profile, A100, load.offers_of(profile)))[0] is None
    serverless = load.profile("serverless")
    assert None not in of_profile(serverless, A100, load.offers_of(serverless)).prices
