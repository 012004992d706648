"""The scoring model and its rules: every change publishes a new version."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from leadpulse.domain.presets import PRESETS
from leadpulse.http import answers as told
from leadpulse.http import render
from leadpulse.http.deps import Cursor, Given, Limit, Reader, RuleWriter, Text, invalid
from leadpulse.http.documented import answers
from leadpulse.http.schemas import NewModel, NewRule, RescoreAll, RuleChanges, Scope
from leadpulse.usecases import models
from leadpulse.usecases.models import Publish

router = APIRouter(tags=["model"])

RuleId = Annotated[Text, Path(max_length=64, description="The id of a rule.")]
_HOW = frozenset({"scope", "note"})


@router.get("/api/scoring-rules", responses=answers(told.RuleList))
@router.get("/api/rules", responses=answers(told.RuleList))
async def list_rules(services: Given, caller: Reader) -> Response:
    """The rules of the model in force, all of them."""
    current = await models.current_model(services.pool, services.models, caller.project_id)
    return render.answer(
        {
            "rules": [render.rule(rule) for rule in current.model.rules],
            "modelVersion": current.model.version,
            "nextCursor": None,
        }
    )


@router.get("/api/scoring-rules/stats", responses=answers(told.RuleStats, "invalid"))
@router.get("/api/rules/stats", responses=answers(told.RuleStats, "invalid"))
async def rule_stats(
    services: Given,
    caller: Reader,
    days: Annotated[int, Query(ge=1, le=366, description="In so many last days.")] = 30,
) -> Response:
    """How often each rule gave points to events of the last days, and how many."""
    used, complete = await models.rule_stats(
        services.pool, services.models, caller.project_id, days
    )
    return render.answer(
        {"days": days, "rules": [render.rule_use(use) for use in used], "complete": complete}
    )


@router.post(
    "/api/scoring-rules",
    status_code=201,
    responses=answers(told.ChangedRule, "conflict", status=201, body=True),
)
@router.post(
    "/api/rules",
    status_code=201,
    responses=answers(told.ChangedRule, "conflict", status=201, body=True),
)
async def add_rule(services: Given, caller: RuleWriter, rule: NewRule) -> Response:
    """Adds a rule."""
    document = rule.model_dump(by_alias=True, exclude_unset=True, exclude=set(_HOW))
    made, published = await models.add_rule(
        services.pool,
        services.models,
        caller.project_id,
        document,
        Publish(rule.scope, rule.note),
    )
    return render.answer({**render.rule(made), "modelVersion": published.model.version}, status=201)


@router.put(
    "/api/scoring-rules/{rule_id}",
    responses=answers(told.ChangedRule, "not_found", body=True),
)
@router.put("/api/rules/{rule_id}", responses=answers(told.ChangedRule, "not_found", body=True))
async def change_rule(
    services: Given, caller: RuleWriter, rule_id: RuleId, rule: RuleChanges
) -> Response:
    """Changes a rule; what isn't given stays. Counters of its caps go on."""
    if rule.id is not None and rule.id != rule_id:
        raise invalid("id", "must be the id in the path")
    changes = rule.model_dump(by_alias=True, exclude_unset=True, exclude={*_HOW, "id"})
    made, published = await models.change_rule(
        services.pool,
        services.models,
        (caller.project_id, rule_id),
        changes,
        Publish(rule.scope, rule.note),
    )
    return render.answer({**render.rule(made), "modelVersion": published.model.version})


@router.delete(
    "/api/scoring-rules/{rule_id}",
    responses=answers(told.RemovedRule, "not_found", "invalid"),
)
@router.delete("/api/rules/{rule_id}", responses=answers(told.RemovedRule, "not_found", "invalid"))
async def remove_rule(
    services: Given,
    caller: RuleWriter,
    rule_id: RuleId,
    scope: Annotated[Scope, Query(description="Whether it counts for the past.")] = "from-now",
) -> Response:
    """Removes a rule."""
    published = await models.remove_rule(
        services.pool, services.models, (caller.project_id, rule_id), Publish(scope)
    )
    return render.answer({"id": rule_id, "modelVersion": published.model.version})


@router.get("/api/model", responses=answers(told.Model))
async def get_model(services: Given, caller: Reader) -> Response:
    """The model in force, and a rescore that is under way."""
    current = await models.current_model(services.pool, services.models, caller.project_id)
    return render.answer(render.model(current))


@router.put("/api/model", responses=answers(told.Publication, "conflict", body=True))
async def replace_model(
    services: Given,
    caller: RuleWriter,
    model: NewModel,
    preview: Annotated[bool, Query(description="Only check, and tell what it concerns.")] = False,  # noqa: FBT002
) -> Response:
    """Publishes a whole model.

    `idleLeads` of the answer tells how many leads a changed decay concerns at once.
    """
    document = model.model_dump(by_alias=True, exclude={*_HOW, "rescore", "version"})
    made = await models.replace_model(
        services.pool,
        services.models,
        caller.project_id,
        document,
        Publish(model.scope, model.note, model.version, preview),
    )
    return render.answer(render.publication(made))


@router.get("/api/models", responses=answers(told.ModelVersions, "invalid"))
async def list_versions(
    services: Given, caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Published versions, newest first."""
    found, following = await models.list_versions(services.pool, caller.project_id, cursor, limit)
    return render.answer({"models": [render.published(v) for v in found], "nextCursor": following})


@router.get("/api/models/{version}", responses=answers(told.StoredModel, "not_found", "invalid"))
async def read_version(
    services: Given,
    caller: Reader,
    version: Annotated[int, Path(ge=1, le=2**31 - 1, description="The number of a version.")],
) -> Response:
    """A version as it was published. Sent to PUT /api/model, it is in force again."""
    published, model = await models.read_version(services.pool, caller.project_id, version)
    return render.answer(render.stored_model(published, model))


@router.get("/api/presets", responses=answers(told.Presets))
async def list_presets(_: Reader) -> Response:
    """The models that a project can start from."""
    return render.answer({"presets": [render.preset(name) for name in PRESETS]})


@router.post(
    "/api/model/rescore",
    status_code=202,
    responses={
        **answers(told.Publication, status=202, body=True),
        200: {"model": told.Publication, "description": "A preview: nothing was published."},
    },
)
async def rescore(
    services: Given,
    caller: RuleWriter,
    why: RescoreAll | None = None,
    preview: Annotated[bool, Query(description="Only tell what it concerns.")] = False,  # noqa: FBT002
) -> Response:
    """Scores all history by the model in force, in the background.

    New events keep flowing; `rescore` of GET /api/model tells how far it is. `blankedEvents` of
    the answer tells how many events have lost the content that rules ask for.
    """
    note = None if why is None else why.note
    made = await models.rescore(
        services.pool, services.models, caller.project_id, note, preview=preview
    )
    return render.answer(render.publication(made), status=200 if preview else 202)
