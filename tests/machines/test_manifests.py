"""The manifests for Kubernetes: valid by its own schemas, and in agreement with the program they run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service.app import openapi
from service.http import metrics, older, ready
from service.http.imports import LARGEST_FILE
from service.server import PATIENCE_WITH_WORKERS
from service.settings import Settings

KUBERNETES = "1.37"
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
MANIFESTS = {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}
KUSTOMIZATION = MANIFESTS.pop("kustomization.yaml")
BY_KIND = {manifest["kind"]: manifest for manifest in MANIFESTS.values()}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
UNITS = {"Mi": 2**20, "Gi": 2**30}


def pods() -> Iterator[Any]:
    """The pods that are asked for: of the service, and of the job before it."""
    for kind in ("Deployment", "Job"):
        yield BY_KIND[kind]["spec"]["template"]


def container(kind: str = "Deployment") -> Any:
    (only,) = BY_KIND[kind]["spec"]["template"]["spec"]["containers"]
    return only


def in_bytes(quantity: str) -> int:
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_valid(name: str) -> None:
    """By the schemas of Kubernetes, which know every field there is."""
    kubernetes_validate.validate(MANIFESTS[name], KUBERNETES, strict=True)


def test_a_field_that_does_not_exist_would_be_found() -> None:
    mistyped = {**BY_KIND["Service"], "spec": {**BY_KIND["Service"]["spec"], "selectors": {}}}
    with pytest.raises(kubernetes_validate.ValidationError, match="selectors"):
        kubernetes_validate.validate(mistyped, KUBERNETES, strict=True)


def test_the_kustomization_names_them_all() -> None:
    assert sorted(KUSTOMIZATION["resources"]) == sorted(MANIFESTS)
    images = {pod["spec"]["containers"][0]["image"] for pod in pods()}
    assert {image["name"] for image in KUSTOMIZATION["images"]} == images


def test_every_setting_is_one_the_program_has() -> None:
    known = {f"CHOKEPOINT_{field.upper()}" for field in Settings.__struct_fields__}
    given = dict(BY_KIND["ConfigMap"]["data"])
    for kind in ("Deployment", "Job"):
        given |= {entry["name"]: entry["valueFrom"] for entry in container(kind)["env"]}
    assert given.keys() <= known
    Settings.from_env(BY_KIND["ConfigMap"]["data"])


def test_the_variables_a_cluster_adds_are_kept_away() -> None:
    """A Service called chokepoint would set CHOKEPOINT_PORT to an address."""
    assert all(pod["spec"]["enableServiceLinks"] is False for pod in pods())


def test_no_secret_stands_in_them() -> None:
    """What is secret is named, and comes from elsewhere; the login that may migrate goes to the job alone."""
    assert "Secret" not in BY_KIND
    assert not re.search(r"postgres(ql)?://", "".join(path.read_text() for path in FOLDER.glob("*.yaml")))
    secret = [entry for kind in ("Deployment", "Job") for entry in container(kind)["env"]]
    assert all(entry.keys() == {"name", "valueFrom"} and "secretKeyRef" in entry["valueFrom"] for entry in secret)
    assert "CHOKEPOINT_MIGRATE_URL" not in {entry["name"] for entry in container()["env"]}


def test_the_probes_ask_what_the_program_answers() -> None:
    probes = {name: container()[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}
    assert {probe["path"] for probe in probes.values()} <= openapi()["paths"].keys()
    assert probes["liveness"]["path"] == "/health/live"
    assert {probe["port"] for probe in probes.values()} == {"http"}


def test_one_port_runs_through_all_of_them() -> None:
    (port,) = container()["ports"]
    image = re.search(r"CHOKEPOINT_PORT=(\d+)", DOCKERFILE)
    assert image is not None
    assert port == {"name": "http", "containerPort": int(image[1])}
    assert BY_KIND["Service"]["spec"]["ports"][0]["targetPort"] == "http"
    assert BY_KIND["NetworkPolicy"]["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": int(image[1])}]}]
    annotations = BY_KIND["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == image[1]
    assert annotations["prometheus.io/path"] in openapi()["paths"]


def test_every_selector_finds_the_pods_it_means() -> None:
    serving, migrating = (pod["metadata"]["labels"].items() for pod in pods())
    spec = BY_KIND["Deployment"]["spec"]
    selectors = [spec["selector"]["matchLabels"], BY_KIND["Service"]["spec"]["selector"]]
    selectors += [BY_KIND["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]]
    selectors += [
        spread["labelSelector"]["matchLabels"] for spread in spec["template"]["spec"]["topologySpreadConstraints"]
    ]
    for selector in selectors:
        assert selector.items() <= serving
        assert not selector.items() <= migrating
    policy = BY_KIND["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items()
    assert policy <= serving
    assert policy <= migrating


def test_it_scales_by_a_metric_that_is_measured() -> None:
    """The autoscaler asks for what the adapter makes of a metric the program exports."""
    spec = BY_KIND["HorizontalPodAutoscaler"]["spec"]
    assert spec["scaleTargetRef"]["name"] == BY_KIND["Deployment"]["metadata"]["name"]
    assert "replicas" not in BY_KIND["Deployment"]["spec"]
    adapter = yaml.safe_load((FOLDER.parent / "prometheus-adapter.yaml").read_text())
    (rule,) = adapter["rules"]["custom"]
    (metric,) = spec["metrics"]
    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
    target = metric["pods"]["target"]["averageValue"]
    assert int(target.removesuffix("m")) < 1000 * int(container()["resources"]["requests"]["cpu"])
    named = set(re.findall(r"chokepoint_\w+", rule["seriesQuery"] + rule["metricsQuery"]))
    assert len(named) == 2
    exported = metrics.exposition().decode()
    assert all(f"# TYPE {series} counter" in exported for series in named)


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_a_container_may_do_no_more_than_it_has_to(kind: str) -> None:
    pod = BY_KIND[kind]["spec"]["template"]["spec"]
    assert f"USER {pod['securityContext']['runAsUser']}:" in DOCKERFILE
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    context = container(kind)["securityContext"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}


def test_there_is_time_to_finish_what_is_under_way() -> None:
    spec = BY_KIND["Deployment"]["spec"]["template"]["spec"]
    leaving = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert leaving + PATIENCE_WITH_WORKERS < spec["terminationGracePeriodSeconds"]


def test_there_is_room_for_what_a_worker_keeps() -> None:
    """Ready answers and older Worlds at their bounds, files in memory, and the program itself."""
    assert BY_KIND["ConfigMap"]["data"]["CHOKEPOINT_WORKERS"] == "1"
    (folder,) = BY_KIND["Deployment"]["spec"]["template"]["spec"]["volumes"]
    files = in_bytes(folder["emptyDir"]["sizeLimit"])
    assert files >= 2 * LARGEST_FILE
    itself = in_bytes("256Mi")
    assert in_bytes(container()["resources"]["limits"]["memory"]) >= (
        ready.MOST_BYTES + older.MOST_BYTES + files + itself
    )


def test_the_balancer_lets_through_what_the_program_takes() -> None:
    text = (FOLDER.parent / "nginx.conf").read_text()
    largest = re.search(r"client_max_body_size (\d+)m;", text)
    assert largest is not None
    assert int(largest[1]) * 2**20 > LARGEST_FILE
    assert set(re.findall(r"server replica-\d:(\d+)", text)) == {str(container()["ports"][0]["containerPort"])}
