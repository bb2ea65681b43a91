"""Plans that were kept, under `_pagemill/plans/` of the sink that they were made for."""

from pydantic import ValidationError

from pipeline.errors import ObjectMissing
from pipeline.places import Places
from pipeline.storage import open_store
from schemas.plan import Plan


def keep(plan: Plan) -> None:
    """Keep a plan in its sink."""
    places = Places(plan.sink_uri)
    open_store(plan.sink_uri).write(places.plans(f"{plan.plan_id}.json"), plan.model_dump_json(indent=1).encode())


def kept(sink_uri: str) -> list[Plan]:
    """Return the plans of a sink in the order of time; what another version kept, and this one cannot read, is left out."""
    store, found = open_store(sink_uri), []
    try:
        uris = sorted(item.uri for item in store.list(Places(sink_uri).plans()))
    except ObjectMissing:
        return []
    for uri in uris:
        try:
            found.append(Plan.model_validate_json(store.read(uri), extra="ignore"))
        except ValidationError:
            continue
    return found
