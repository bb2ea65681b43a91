"""What a RayCluster and a RayJob may hold: KubeRay's fields, written down from its v1 types, as no package index carries its CRDs.

Pod templates inside are checked by Kubernetes' own schemas, where test_kubernetes.py finds them. Unknown fields are errors.
"""

_TEXT, _WHOLE, _FLAG, _TEXTS = (
    {"type": "string"},
    {"type": "integer", "minimum": 0},
    {"type": "boolean"},
    {
        "type": "object",
        "additionalProperties": {"type": "string"},
    },
)
_TEMPLATE = {"type": "object", "required": ["spec"]}


def _strictly(required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_HEAD = _strictly(
    ["template", "rayStartParams"],
    serviceType={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    headService={"type": "object"},
    enableIngress=_FLAG,
    rayStartParams=_TEXTS,
    template=_TEMPLATE,
)
_WORKERS = _strictly(
    ["groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"],
    groupName=_TEXT,
    replicas=_WHOLE,
    minReplicas=_WHOLE,
    maxReplicas=_WHOLE,
    numOfHosts=_WHOLE,
    rayStartParams=_TEXTS,
    template=_TEMPLATE,
    scaleStrategy={"type": "object"},
)
_AUTOSCALER = _strictly(
    [],
    resources={"type": "object"},
    image=_TEXT,
    imagePullPolicy=_TEXT,
    env={"type": "array"},
    envFrom={"type": "array"},
    volumeMounts={"type": "array"},
    securityContext={"type": "object"},
    idleTimeoutSeconds=_WHOLE,
    upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
)
_CLUSTER_SPEC = _strictly(
    ["headGroupSpec"],
    headGroupSpec=_HEAD,
    workerGroupSpecs={"type": "array", "items": _WORKERS},
    rayVersion=_TEXT,
    enableInTreeAutoscaling=_FLAG,
    autoscalerOptions=_AUTOSCALER,
    headServiceAnnotations=_TEXTS,
    suspend=_FLAG,
)
_JOB_SPEC = _strictly(
    ["entrypoint"],
    activeDeadlineSeconds=_WHOLE,
    backoffLimit=_WHOLE,
    rayClusterSpec=_CLUSTER_SPEC,
    submitterPodTemplate=_TEMPLATE,
    metadata=_TEXTS,
    clusterSelector=_TEXTS,
    submitterConfig={"type": "object"},
    managedBy=_TEXT,
    deletionStrategy={"type": "object"},
    entrypoint=_TEXT,
    runtimeEnvYAML=_TEXT,
    jobId=_TEXT,
    submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode"]},
    entrypointResources=_TEXT,
    entrypointNumCpus={"type": "number"},
    entrypointNumGpus={"type": "number"},
    ttlSecondsAfterFinished=_WHOLE,
    shutdownAfterJobFinishes=_FLAG,
    suspend=_FLAG,
)


def _resource(kind: str, spec: dict[str, object]) -> dict[str, object]:
    return _strictly(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": "ray.io/v1"},
        kind={"const": kind},
        metadata={"type": "object"},
        spec=spec,
    )


SCHEMAS = {"RayCluster": _resource("RayCluster", _CLUSTER_SPEC), "RayJob": _resource("RayJob", _JOB_SPEC)}
