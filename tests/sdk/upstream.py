"""An upstream that is not ours: batches made with the published SDK's models, served by sse-starlette.

    upstream.py NOW SESSIONS

`NOW` (Unix seconds) is the instant all activity leads up to; the same arguments make the same batches.
Prints `{"port": N}` once it listens on loopback, then serves

    GET /stream/{product}   every batch once, each session's in order, then one of the session `end`; then silence
    GET /expected           what the SDK's registry decides at NOW, by session: an object or null
"""

import asyncio
import json
import random
import socket
import sys
from dataclasses import asdict

import uvicorn
from autoplay_sdk.core.models import ActionsPayload, SlimAction
from autoplay_sdk.proactive.triggers import ProactiveTriggerContext, ProactiveTriggerRegistry
from autoplay_sdk.proactive.triggers.section_activity import build_product_section_playbook
from autoplay_sdk.proactive.triggers.triggers.canonical_ping_pong import CanonicalPingPongTrigger
from autoplay_sdk.proactive.triggers.triggers.section_playbook import SectionPlaybookTrigger
from autoplay_sdk.proactive.triggers.triggers.user_page_dwell import UserPageDwellTrigger
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

PRODUCT = "acme"
ACTIONS = 20

# The same as in workspace/rules/sdk.yaml.
REGISTRY = ProactiveTriggerRegistry(
    [
        CanonicalPingPongTrigger(min_cycles=1, hesitation_min_distinct=3),
        UserPageDwellTrigger(default_threshold_s=60.0, default_max_actions=5),
        SectionPlaybookTrigger(),
    ]
)
SECTION_RULES = [
    {"prefix": "/projects", "section_id": "projects"},
    {"prefix": "https://app.acme.test/billing", "section_id": "billing"},
]
SECTION_FALLBACK = "other"
SECTION_PLAYBOOK = {
    "projects": "Projects hold your work. Want a tour?",
    "billing": {"body": "Questions about your plan?", "reply_option_labels": ["Ask", "Not now"]},
}

PAGES = [
    "/projects",
    "/projects/",
    " /projects ",
    "/settings",
    "https://app.acme.test/billing",
    "https://app.acme.test/billing/invoices",
    "/reports",
    "",
]


def walk(chance: random.Random) -> list[str]:
    """Twenty URLs: somebody who wanders, who goes straight on, who reads one page, or who stays put."""
    straight = [f"/{chance.choice(['docs', 'projects', 'tasks'])}/{step}" for step in range(ACTIONS)]
    last = chance.choice(PAGES)
    staying = chance.randint(1, 7)
    styles = [
        [chance.choice(PAGES) for _ in range(ACTIONS)],
        straight,
        straight[:-staying] + [last] * staying,
        [last] * ACTIONS,
    ]
    return chance.choice(styles)


def actions_of(session: str, urls: list[str], now: float, chance: random.Random) -> list[SlimAction]:
    """The newest begins at most two minutes ago; each lasts a little, nothing, or less than nothing."""
    start = now - chance.uniform(0.0, 130.0)
    starts = [start]
    for _ in urls[1:]:
        starts.append(starts[-1] - chance.choice([0.0, 0.5, 3.0, 25.0]))
    actions = []
    for index, (url, began) in enumerate(zip(urls, reversed(starts))):
        began = round(began, 3)
        ended = round(began + chance.choice([0.0, 0.0, 0.25, 4.0, 70.0, -1.0]), 3)
        kind = chance.choice(["pageview", "click", "input"])
        actions.append(
            SlimAction(
                index=index,
                type=kind,
                title=f"Step {index}",
                description=f"{kind} number {index}",
                timestamp_start=began,
                timestamp_end=ended,
                raw_url=url,
                canonical_url=url,
                session_id=session,
            )
        )
    return actions


def payloads_of(session: str, now: float, chance: random.Random) -> list[ActionsPayload]:
    """One to four batches, some forwarded so long ago that the SDK no longer looks at them."""
    actions = actions_of(session, walk(chance), now, chance)
    cuts = sorted(chance.sample(range(1, ACTIONS), chance.randint(0, 3)))
    parts = [actions[a:b] for a, b in zip([0, *cuts], [*cuts, ACTIONS])]
    ages = sorted((chance.choice([0.0, 20.0, 119.5, 120.0, 120.5, 200.0]) for _ in parts), reverse=True)
    return [
        ActionsPayload(
            product_id=PRODUCT,
            session_id=session,
            user_id=None,
            email=None,
            actions=part,
            count=len(part),
            forwarded_at=now - age,
        )
        for part, age in zip(parts, ages)
    ]


def decision(session: str, payloads: list[ActionsPayload], now: float) -> dict | None:
    context = ProactiveTriggerContext.from_actions_payloads(
        payloads,
        now=now,
        session_id=session,
        product_id=PRODUCT,
        context_extra={"eval_now": now, "section_playbook": SECTION_PLAYBOOK},
    )
    context.context_extra["product_section_playbook"] = build_product_section_playbook(
        context.recent_actions, rules=SECTION_RULES, fallback_id=SECTION_FALLBACK
    )
    result = REGISTRY.evaluate_first(context)
    if result is None:
        return None
    return {
        "trigger_id": result.trigger_id,
        "body": result.body,
        "reply_option_labels": list(result.reply_option_labels),
        "metadata": result.metadata,
    }


def frames_of(sessions: dict[str, list[ActionsPayload]], chance: random.Random) -> list[str]:
    """All batches, sessions mixed, each session's in order."""
    turns = [session for session, payloads in sessions.items() for _ in payloads]
    chance.shuffle(turns)
    left = {session: iter(payloads) for session, payloads in sessions.items()}
    frames = [json.dumps({"type": "actions", **asdict(next(left[session]))}) for session in turns]
    end = {"type": "actions", "product_id": PRODUCT, "session_id": "end", "actions": [{"title": "end"}], "count": 1}
    return [*frames, json.dumps(end)]


def application(now: float, count: int) -> Starlette:
    chance = random.Random(count)
    names = [f"ps_{number}" for number in range(count)]
    sessions = {name: payloads_of(name, now, chance) for name in names}
    expected = {name: decision(name, payloads, now) for name, payloads in sessions.items()}
    frames = frames_of(sessions, chance)

    async def stream(_request):
        async def events():
            yield {"event": "heartbeat", "data": ""}
            for frame in frames:
                yield {"data": frame}
            await asyncio.Event().wait()

        return EventSourceResponse(events())

    async def answers(_request):
        return JSONResponse(expected)

    return Starlette(routes=[Route("/stream/{product}", stream), Route("/expected", answers)])


def main() -> None:
    now, count = float(sys.argv[1]), int(sys.argv[2])
    app = application(now, count)
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
