"""Creates a RayJob from a file: one request to the Kubernetes API, with the pod's own account. `python start.py RAYJOB.yaml`

Needs no kubectl. NAME names the RayJob; where one of that name exists already, an earlier try has started it and there is nothing to do.
"""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

import yaml

ACCOUNT = Path(os.environ.get("SERVICE_ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount"))
API = os.environ.get("KUBERNETES_API", "https://kubernetes.default.svc")
EXISTS_ALREADY = 409
TIMEOUT_S = 30


def main() -> None:
    """Create the RayJob; exit with the API's own words where it refuses, for the CronJob to try again."""
    job = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    metadata = {key: value for key, value in job["metadata"].items() if key != "generateName"}
    job["metadata"] = metadata | {"name": os.environ["NAME"], "namespace": (ACCOUNT / "namespace").read_text().strip()}
    try:
        created = _post(job)
    except urllib.error.HTTPError as error:
        if error.code != EXISTS_ALREADY:
            sys.exit(f"the Kubernetes API refused: {error.code} {error.read().decode(errors='replace')}")
        created = "exists already"
    except urllib.error.URLError as error:
        sys.exit(f"the Kubernetes API cannot be reached: {error.reason}")
    sys.stdout.write(f"RayJob {job['metadata']['name']}: {created}\n")


def _post(job: dict[str, dict[str, str]]) -> str:
    url = f"{API}/apis/{job['apiVersion']}/namespaces/{job['metadata']['namespace']}/rayjobs"
    token = (ACCOUNT / "token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(job).encode(), headers, method="POST")  # noqa: S310 (the cluster's own API)
    certificates = ACCOUNT / "ca.crt"
    context = ssl.create_default_context(cafile=str(certificates)) if certificates.exists() else None
    with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context):  # noqa: S310
        return "created"


if __name__ == "__main__":
    main()
