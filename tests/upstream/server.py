"""An upstream that is not ours: it streams random page walks, and knows what the SDK makes of them.

`POST /begin?now=` settles the instant of judgement, starts the stream and answers, for every
session, what the SDK's own registry decides. Until then the stream is open and silent.
"""

import asyncio
import dataclasses
import json
import random
import socket
import sys

import uvicorn
from autoplay_sdk.core.models import ActionsPayload, SlimAction
from autoplay_sdk.proactive.triggers import BUILTIN_TRIGGER_CATALOG, ProactiveTriggerRegistry
from autoplay_sdk.proactive.triggers.context_source import build_proactive_context_from_payloads
from autoplay_sdk.proactive.triggers.section_activity import build_product_section_playbook
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PRODUCT, TOKEN = "acme", "upstream-token"
SESSIONS, ACTIONS = 1_000, 20
ORIGIN = "https://app.acme.test"
PAGES = ["/projects", "/projects/:id", "/settings", "/billing", "/reports", " /team ", ""]

# The same as the workspace of tests/upstream.rs.
LOOKBACK_S, MAX_ACTIONS = 120.0, 15
RULES = [
    {"prefix": f"{ORIGIN}/projects", "section_id": "projects"},
    {"prefix": f"{ORIGIN}/billing", "section_id": "billing"},
    {"prefix": f"{ORIGIN}/settings", "section_id": "settings"},
]
PLAYBOOK = {
    "projects": "Projects are where work happens.",
    "billing": {
        "body": "Billing, explained in a minute.",
        "reply_option_labels": ["Explain", "No thanks"],
    },
}

REGISTRY = ProactiveTriggerRegistry(
    [entry.inner_factory() for entry in BUILTIN_TRIGGER_CATALOG.values()]
)


def walk(rng: random.Random) -> list[tuple[str, float]]:
    """The page of each action, and the seconds until the next; several tempers and speeds."""
    pages = rng.sample(PAGES, rng.choice([1, 1, 2, 2, 2, 3, 5]))
    restless = rng.choice([0.04, 0.1, 0.4, 1.0])
    shortest, longest = rng.choice([(0.1, 3.0), (1.0, 12.0), (5.0, 45.0), (20.0, 100.0)])
    page, steps = rng.choice(pages), []
    for _ in range(ACTIONS):
        if rng.random() < restless:
            page = rng.choice(pages)
        steps.append((page, round(rng.uniform(shortest, longest), 3)))
    return steps


def payloads(rng: random.Random, session: str, now: float) -> list[ActionsPayload]:
    """One session's actions in one to six batches; the last was forwarded up to 150 s ago."""
    steps = walk(rng)
    at = now - rng.choice([0.0, 1.0, 30.0, 62.5, 150.0]) * rng.random() - sum(s for _, s in steps)
    actions = []
    for index, (page, seconds) in enumerate(steps):
        start, at = round(at, 3), round(at + seconds, 3)
        url = f"{ORIGIN}{page}" if page.startswith("/") else page
        actions.append(
            SlimAction(
                title=f"Page Load: {page}",
                description=f"Looked at {page}",
                canonical_url=url,
                index=index,
                type="pageview",
                timestamp_start=start,
                timestamp_end=at,
                raw_url=url,
                session_id=session,
            )
        )
    cuts = sorted(rng.sample(range(1, ACTIONS), rng.randrange(6)))
    batches = [actions[a:b] for a, b in zip([0, *cuts], [*cuts, ACTIONS])]
    for batch in batches:
        batch[-1].timestamp_end = batch[-1].timestamp_start
    return [
        ActionsPayload(
            product_id=PRODUCT,
            session_id=session,
            user_id=None,
            email=None,
            actions=batch,
            count=len(batch),
            forwarded_at=round(batch[-1].timestamp_start + 0.25, 3),
        )
        for batch in batches
    ]


def decision(session: str, batches: list[ActionsPayload], now: float) -> dict | None:
    context = build_proactive_context_from_payloads(
        batches,
        lookback_seconds=LOOKBACK_S,
        max_actions=MAX_ACTIONS,
        now=now,
        product_id=PRODUCT,
        session_id=session,
    )
    context.context_extra.update(
        eval_now=now,
        section_playbook=PLAYBOOK,
        product_section_playbook=build_product_section_playbook(
            context.recent_actions, rules=RULES
        ),
    )
    result = REGISTRY.evaluate_first(context)
    return result and {
        "trigger_id": result.trigger_id,
        "body": result.body,
        "reply_option_labels": list(result.reply_option_labels),
        "metadata": result.metadata,
    }


class Upstream:
    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.frames: list[str] = []

    async def begin(self, request):
        now = float(request.query_params["now"])
        rng = random.Random(20)
        sessions = {f"ps_{n}": None for n in range(SESSIONS)}
        messages = []
        for session in sessions:
            batches = payloads(rng, session, now)
            sessions[session] = decision(session, batches, now)
            messages.append([{"type": "actions", **dataclasses.asdict(b)} for b in batches])
        # Sessions interleave; each keeps its own order.
        while messages:
            queue = rng.choice(messages)
            self.frames.append(json.dumps(queue.pop(0)))
            if not queue:
                messages.remove(queue)
        self.begun.set()
        return JSONResponse({"batches": len(self.frames), "decisions": sessions})

    async def stream(self, request):
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status_code=401)
        return EventSourceResponse(self.events())

    async def events(self):
        yield ServerSentEvent(event="heartbeat", data="")
        await self.begun.wait()
        for frame in self.frames:
            yield ServerSentEvent(data=frame)
        await asyncio.Event().wait()


async def main() -> None:
    upstream = Upstream()
    app = Starlette(
        routes=[
            Route("/begin", upstream.begin, methods=["POST"]),
            Route(f"/stream/{PRODUCT}", upstream.stream),
        ]
    )
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    await server.serve(sockets=[listener])


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
