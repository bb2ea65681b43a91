"""The manifests: each is what Kubernetes and KubeRay take, they fit together, and nothing may do more than it needs."""

import copy
import importlib.util
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import ray
import yaml

from jobs.jobfile import load
from schemas.job import Job

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
KUBERNETES = "1.34"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
JOB_FILES = [path for path in FOLDER.glob("*.yaml") if "kind" not in yaml.safe_load_all(path.read_text()).__next__()]


def _kuberay() -> dict[str, dict[str, object]]:
    spec = importlib.util.spec_from_file_location("kuberay", Path(__file__).with_name("kuberay.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SCHEMAS


SCHEMAS = _kuberay()
RESOURCES = [
    resource
    for path in sorted(FOLDER.glob("*.yaml"))
    if path not in JOB_FILES and path.name != "kustomization.yaml"
    for resource in yaml.safe_load_all(path.read_text())
]


def _of_kind(kind: str) -> dict:
    (found,) = [resource for resource in RESOURCES if resource["kind"] == kind]
    return found


def _check(resource: dict) -> None:
    """Raise where Kubernetes, or KubeRay and Kubernetes for the pods inside, would not take a resource."""
    if resource["kind"] not in SCHEMAS:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)
        return
    jsonschema.validate(resource, SCHEMAS[resource["kind"]])
    for template in _templates(resource):
        kubernetes_validate.validate(_as_resource(template), KUBERNETES, strict=True)


def _as_resource(template: dict) -> dict:
    return {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "inside"}, "template": template}


def _templates(resource: dict) -> list[dict]:
    spec = resource["spec"]
    match resource["kind"]:
        case "RayCluster":
            return [group["template"] for group in [spec["headGroupSpec"], *spec["workerGroupSpecs"]]]
        case "RayJob":
            return [spec["submitterPodTemplate"]]
        case "CronJob":
            return [spec["jobTemplate"]["spec"]["template"]]
    return []


PODS = [
    pytest.param(template["spec"], id=f"{resource['kind']}-{number}")
    for resource in RESOURCES
    if "spec" in resource
    for number, template in enumerate(_templates(resource))
]


@pytest.mark.parametrize(
    "resource", RESOURCES, ids=lambda resource: f"{resource['kind']}-{resource['metadata'].get('name', '')}"
)
def test_each_manifest_is_what_its_schema_says(resource):
    """No unknown field, no wrong type, nothing missing, also in the pods that Ray's own resources describe."""
    _check(resource)


@pytest.mark.parametrize(
    ("kind", "path", "wrong"),
    [
        ("CronJob", ["spec", "schedul"], "0 22 * * *"),
        ("RayCluster", ["spec", "workerGroupSpecs", 0, "replica"], 1),
        ("RayCluster", ["spec", "workerGroupSpecs", 0, "rayStartParams", "num-cpus"], 1),
        ("RayCluster", ["spec", "headGroupSpec", "template", "spec", "containers", 0, "ressources"], {}),
        ("RayJob", ["spec", "submitterPodTemplate", "spec", "containers", 0, "image"], 1),
    ],
)
def test_a_slip_in_a_manifest_is_found(kind, path, wrong):
    """A misspelt field or a wrong type, however deep, is not taken."""
    resource = copy.deepcopy(_of_kind(kind))
    place = resource
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = wrong
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        _check(resource)


def test_everything_is_applied_or_mounted():
    """Each file of the folder is a resource of the kustomization or in the map that pods read."""
    (mounted,) = [each["files"] for each in KUSTOMIZATION["configMapGenerator"]]
    named = {*KUSTOMIZATION["resources"], *mounted, "kustomization.yaml"}
    assert named == {path.name for path in FOLDER.iterdir() if path.is_file()}


def test_the_entrypoint_runs_a_job_file_that_is_mounted_and_valid():
    """The RayJob's command names a job file that is in the map, that loads, and that asks for no more than the cluster can grow to."""
    program, command, path = _of_kind("RayJob")["spec"]["entrypoint"].split()
    assert (program, command, Path(path).parent) == ("pagemill", "run", Path("/jobs"))
    job = load(FOLDER / Path(path).name)
    assert isinstance(job, Job)
    groups = {group["groupName"]: group for group in _of_kind("RayCluster")["spec"]["workerGroupSpecs"]}
    gpus, cpus = (
        groups[name]["maxReplicas"] * int(_requests(groups[name])[what])
        for name, what in (("gpu", "nvidia.com/gpu"), ("cpu", "cpu"))
    )
    assert (job.workers.gpus <= gpus, job.workers.cpus <= cpus) == (True, True)


def _requests(group: dict) -> dict[str, str]:
    return group["template"]["spec"]["containers"][0]["resources"]["requests"]


def test_the_cluster_costs_a_head_while_nothing_runs():
    """Both groups of workers scale from zero, and the head takes no actors."""
    spec = _of_kind("RayCluster")["spec"]
    assert spec["enableInTreeAutoscaling"]
    assert {group["groupName"]: (group["replicas"], group["minReplicas"]) for group in spec["workerGroupSpecs"]} == {
        "gpu": (0, 0),
        "cpu": (0, 0),
    }
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert spec["rayVersion"] == ray.__version__


def test_the_parts_name_each_other():
    """The RayJob finds the cluster, the CronJob its account and files, and images are those that the kustomization tags."""
    cluster, job, nightly = (_of_kind(kind) for kind in ("RayCluster", "RayJob", "CronJob"))
    assert job["spec"]["clusterSelector"] == {"ray.io/cluster": cluster["metadata"]["name"]}
    accounts = {resource["metadata"]["name"] for resource in RESOURCES if resource["kind"] == "ServiceAccount"}
    tags = {image["name"]: image["newTag"] for image in KUSTOMIZATION["images"]}
    for template in [*_templates(cluster), *_templates(nightly)]:
        assert template["spec"]["serviceAccountName"] in accounts
        assert all(container["image"] in tags for container in template["spec"]["containers"])
    (submitter,) = _templates(job)[0]["spec"]["containers"]
    assert submitter["image"] == f"pagemill:{tags['pagemill']}"
    (start,) = _templates(nightly)[0]["spec"]["containers"]
    assert [Path(word).name for word in start["command"]] == ["python", "start.py", "rayjob.yaml"]


@pytest.mark.parametrize("pod", PODS)
def test_no_pod_may_more_than_it_needs(pod):
    """Not root, no privileges to gain, no capabilities, and bounded memory."""
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


def test_pages_have_shared_memory():
    """Frames of pages and Ray's objects go through /dev/shm, of which a container has 64 MB unless told otherwise."""
    for template in _templates(_of_kind("RayCluster")):
        (container,) = template["spec"]["containers"]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        assert volumes[mounts["/dev/shm"]]["emptyDir"]["medium"] == "Memory"  # noqa: S108


def test_the_schedule_may_start_a_run_and_nothing_else():
    """Its account creates RayJobs: it reads, changes and removes nothing."""
    assert _of_kind("Role")["rules"] == [{"apiGroups": ["ray.io"], "resources": ["rayjobs"], "verbs": ["create"]}]
    binding = _of_kind("RoleBinding")
    assert [subject["name"] for subject in binding["subjects"]] == ["pagemill-nightly"]
    assert binding["roleRef"]["name"] == _of_kind("Role")["metadata"]["name"]
