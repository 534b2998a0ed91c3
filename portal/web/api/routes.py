"""Routes of the programming interface, all below ``/api/v1``."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from portal.web.api import changes, commissions, files, steps, unknown, uploads
from portal.web.api.deps import bearer
from portal.web.api.problems import ProblemRoute
from portal.web.api.shapes import PREFIX

router = APIRouter(prefix=PREFIX, route_class=ProblemRoute, dependencies=[Depends(bearer)])
for _part in (commissions, files, steps, uploads, changes, unknown):
    router.include_router(_part.router)
