"""The guards around the app, driven as ASGI."""

import asyncio

from service.metrics import Metrics


def post_scope() -> dict:
    return {"type": "http", "method": "POST", "path": "/localize", "headers": []}


async def read_all(_, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_methods_that_clients_make_up_share_one_counter():
    from service.middleware import MetricsMiddleware

    metrics = Metrics()

    async def discard(_):
        pass

    async def receive():
        return {"type": "http.request"}

    counted = MetricsMiddleware(read_all, metrics)
    for method in ("BREW", "FROB"):
        asyncio.run(counted({**post_scope(), "method": method}, receive, discard))
    assert 'clnet_requests_total{method="other",route="other",status="200"} 2.0' in metrics.text().decode()
