"""YAML → core types. Errors say `file:line: key.path: what is wrong`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from breakeven import convert, deployment_file, resources
from breakeven.convert import KeyPath
from breakeven.core.hardware import Accelerator, Offer, Profile
from breakeven.errors import InputError, unknown
from breakeven.yaml_source import Source

if TYPE_CHECKING:
    # Imported where they are used: `deploy profiles` needs none of them.
    from breakeven.core.api_rates import ApiRates
    from breakeven.core.deployment import Deployment
    from breakeven.core.facts import Facts
    from breakeven.core.live import StackCluster
    from breakeven.core.measured import Series
    from breakeven.core.model import Model

T = TypeVar("T")

_STACK: Final = "stack configuration"


@cache
def profiles() -> dict[str, Profile]:
    """All hardware profiles by name, in the order of their file names."""
    found = {}
    for path in sorted(resources.profiles().glob("*.yaml")):
        source = Source.read(path)
        profile = source.convert(Profile)
        if profile.name != path.stem:
            message = f"expected {path.stem!r}, the name of the file, got {profile.name!r}"
            raise InputError(message, where=source.where(("name",)))
        found[profile.name] = profile
    return found


@cache
def accelerators() -> dict[str, Accelerator]:
    return {record.name: record for record in _catalog("accelerators", Accelerator)}


@cache
def models() -> dict[str, Model]:
    from breakeven.core.model import Model

    return {record.name: record for record in _catalog("models", Model)}


@cache
def offers() -> dict[str, Offer]:
    return {record.name: record for record in _catalog("gpu_offers", Offer)}


@cache
def measured() -> tuple[Series, ...]:
    """Published runs to compare an estimate with. `deploy size` alone reads them."""
    from breakeven.core.measured import Series

    return _catalog("measured", Series)


@cache
def comparators() -> tuple[str, ...]:
    """API models, `provider/model`, that every plan is compared with."""
    return _read(resources.catalog() / "comparators.yaml", tuple[str, ...])


@cache
def api_rates() -> tuple[ApiRates, ...]:
    """The packaged prices that go before the price book's."""
    from breakeven.core.api_rates import ApiRates

    return _catalog("api_prices", ApiRates)


def profile(name: str) -> Profile:
    """Raises InputError with close matches."""
    return _named("profile", name, profiles(), "`deploy profiles`")


def model(name: str) -> Model:
    """A packaged model, or the one that a Hugging Face config.json describes. Raises InputError with close matches."""
    if name.endswith(".json"):
        from breakeven.huggingface.model import model

        return model(Path(name))
    return _named("model", name, models(), "`deploy models`")


def accelerator(name: str) -> Accelerator:
    """Raises InputError with close matches."""
    return _named("accelerator", name, accelerators(), "`deploy offers`")


def accelerator_of(hardware: Profile) -> Accelerator:
    """Raises InputError where the profile names one that the catalogue lacks."""
    kind, listing = f"accelerator of profile {hardware.name}", resources.catalog() / "accelerators.yaml"
    return _named(kind, hardware.accelerator, accelerators(), str(listing))


def offers_of(hardware: Profile) -> list[Offer]:
    """The dated offers of a profile's own hardware, cheapest GPU first."""
    return sorted((_offer_of(hardware, name) for name in hardware.offers), key=lambda offer: offer.usd_per_gpu_hour)


def _offer_of(hardware: Profile, name: str) -> Offer:
    listing = resources.catalog() / "gpu_offers.yaml"
    return _named(f"offer of profile {hardware.name}", name, offers(), str(listing))


def facts(deployment: Deployment) -> Facts:
    """Look up what the deployment's names stand for. Raises InputError for an unknown name."""
    from breakeven.core.facts import Facts

    hardware = profile(deployment.profile)
    return Facts(
        profile=hardware,
        accelerator=accelerator_of(hardware),
        model=model(deployment.model or hardware.model),
        offer=_offer(deployment, hardware),
        given_usd_per_gpu_hour=deployment.prices.usd_per_gpu_hour,
    )


def _offer(deployment: Deployment, hardware: Profile) -> Offer | None:
    name = deployment.prices.offer
    if deployment.prices.usd_per_gpu_hour is not None:
        return None
    if name is None:
        return _offer_of(hardware, hardware.offers[0]) if hardware.is_serverless else None
    if name not in hardware.offers:
        listing = f"`deploy profiles {hardware.name}`"
        raise unknown(f"offer of profile {hardware.name}", name, hardware.offers, listing=listing)
    return _offer_of(hardware, name)


def deployment(
    path: Path | None,
    overrides: Mapping[KeyPath, tuple[Any, str]],
    *,
    saved: Mapping[str, Any] | None = None,
    within: Path | None = None,
) -> Deployment:
    """A deploy.yaml, or else what was `saved`, with flags over it: {key path: (value, origin such as "--replicas")}.

    The file's base must lie `within` a directory, if one is given.
    """
    from breakeven.core.deployment import Deployment

    source = deployment_file.read(path, within=within) if path else Source(dict(saved or {}), {})
    if source.data is None:
        source.data = {}
    for key, (value, origin) in overrides.items():
        source.lay(key, value, origin)
    deployment_file.settle_paths(source, Path())
    return source.convert(Deployment)


def deployment_from(data: Mapping[str, Any], name: str) -> Deployment:
    """A deployment that was recorded as plain data, such as in the stack's configuration `name`."""
    from breakeven.core.deployment import Deployment

    return Source(dict(data), {(): name}).convert(Deployment)


def stack_deployment(data: Mapping[str, Any] | None, file: str | None) -> Deployment:
    """What a stack's configuration asks for: its `deployment` as it stands there, or the deploy.yaml that `file` names.

    Raises InputError unless there is one of the two.
    """
    if (data is None) == (file is None):
        found = "neither" if data is None else "both"
        message = f"expected one of breakeven:deployment and breakeven:file, got {found}"
        raise InputError(message, where=_STACK, hint="pulumi config set --path breakeven:deployment.profile PROFILE")
    if file is not None:
        return deployment(Path(file), {})
    return deployment_from(data or {}, f"{_STACK}: breakeven:deployment")


def stack_cluster(data: Mapping[str, Any]) -> StackCluster:
    """The cluster that a stack's configuration names. Raises InputError."""
    from breakeven.core.live import StackCluster

    return Source(dict(data), {(): f"{_STACK}: breakeven:cluster"}).convert(StackCluster)


def plain(deployment: Deployment) -> dict[str, Any]:
    """The inverse of `deployment_from`: JSON-ready, money as decimal strings, only what was given."""
    chosen = {key: convert.chosen(getattr(deployment, key)) for key in ("weights", "chart")}
    given = {**_given(deployment), **chosen}
    return {key: value for key, value in given.items() if value != {}}


def _given(record: Any) -> dict[str, Any]:
    """None is left out where it is the default anyway."""
    found = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            if nested := _given(value):
                found[field.name] = nested
        elif value is not None or field.default is not None:
            found[field.name] = convert.plain(value)
    return found


def _catalog(name: str, record: type[T]) -> tuple[T, ...]:
    return _read(resources.catalog() / f"{name}.yaml", tuple[record, ...])  # type: ignore[valid-type]


def _read(path: Path, type_: type[T]) -> T:
    return Source.read(path).convert(type_)


def _named(kind: str, name: str, known: dict[str, T], listing: str) -> T:
    if name not in known:
        raise unknown(kind, name, known, listing=listing)
    return known[name]
