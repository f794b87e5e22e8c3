from service.metrics import Metrics


def samples(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.text().decode().splitlines() if line.startswith("clnet_")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_what_is_counted_is_what_prometheus_reads():
    metrics = Metrics()
    metrics.steps({"decode": 0.02, "embed": 0.5})
    metrics.steps({"decode": 0.04})
    metrics.batch(4)
    metrics.waiting(2)
    metrics.index_tiles(1024)
    metrics.request("POST", "/localize", 200)
    metrics.request("POST", "/localize", 200)
    found = samples(metrics)
    assert found['clnet_step_seconds_count{step="decode"}'] == 2
    assert abs(found['clnet_step_seconds_sum{step="decode"}'] - 0.06) < 1e-9
    assert found['clnet_step_seconds_bucket{le="0.025",step="decode"}'] == 1
    assert found["clnet_batch_rows_sum"] == 4
    assert found["clnet_queue_depth"] == 2
    assert found["clnet_index_tiles"] == 1024
    assert found['clnet_requests_total{method="POST",route="/localize",status="200"}'] == 2


def test_two_apps_in_one_process_do_not_count_together():
    one, other = Metrics(), Metrics()
    one.batch(8)
    assert samples(other)["clnet_batch_rows_count"] == 0
