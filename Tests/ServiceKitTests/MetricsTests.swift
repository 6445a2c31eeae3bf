import Metrics
import ServiceKit
import TestSupport
import Testing

@Suite("Prometheus text") struct MetricsTests {
    @Test("Counters, gauges and histograms in the text format") func format() async {
        let metrics = PrometheusMetrics()
        Counter(label: "jobs.started", dimensions: [("preset", "a\"b\\c\nd"), ("cluster", "x")], factory: metrics).increment(by: 2)
        Counter(label: "jobs.started", dimensions: [("cluster", "x"), ("preset", "a\"b\\c\nd")], factory: metrics).increment()
        Meter(label: "queue_depth", factory: metrics).set(2.5)
        let timer = Timer(label: "call_seconds", factory: metrics)
        timer.recordMilliseconds(20)
        timer.recordMilliseconds(700)
        timer.recordSeconds(100)
        let text = await metrics.text()
        #expect(text.contains("# TYPE jobs_started_total counter\njobs_started_total{cluster=\"x\",preset=\"a\\\"b\\\\c\\nd\"} 3\n"))
        #expect(text.contains("# TYPE queue_depth gauge\nqueue_depth 2.5\n"))
        #expect(text.contains("# TYPE call_seconds histogram\n"))
        #expect(text.contains("call_seconds_bucket{le=\"0.01\"} 0\ncall_seconds_bucket{le=\"0.025\"} 1\n"))
        #expect(text.contains("call_seconds_bucket{le=\"1\"} 2\n"))
        #expect(text.contains("call_seconds_bucket{le=\"30\"} 2\ncall_seconds_bucket{le=\"+Inf\"} 3\n"))
        #expect(text.contains("call_seconds_sum 100.72\ncall_seconds_count 3\n"))
        #expect(text.hasSuffix("\n"))
    }

    @Test("Requests are counted by template, never by path or by an invented method") func requests() async throws {
        try await withService(ProbeService.self) { service async throws in
            for name in ["a", "b", "c"] { _ = try await service.get("/pets/\(name)") }
            _ = try await service.get("/nowhere/1")
            _ = try await service.call(.PROPFIND, "/hello")
            let text = await service.assembly.context.metrics.text()
            #expect(text.contains("http_requests_total{method=\"GET\",route=\"/pets/{name}\",status=\"200\"} 3"))
            #expect(text.contains("http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1"))
            #expect(text.contains("method=\"other\"") && !text.contains("PROPFIND") && !text.contains("nowhere"))
            #expect(text.contains("http_request_duration_seconds_count{method=\"GET\",route=\"/pets/{name}\"} 3"))
        }
    }
}
