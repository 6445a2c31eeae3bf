import AsyncHTTPClient
import Foundation
import TestSupport
import Testing

@Suite("A service as a process", .timeLimit(.minutes(5))) struct ProcessTests {
    private let usual = [
        "ORRERY_HTTP_HOST": "127.0.0.1", "ORRERY_HTTP_PORT": "0", "ORRERY_METRICS_PORT": "0", "ORRERY_SHUTDOWN_DELAY": "0",
    ]

    private func probe(_ environment: [String: String]) throws -> ProbeProcess {
        try ProbeProcess("kit-probe", environment: usual.merging(environment) { $1 })
    }

    @Test("It logs JSON, serves metrics on a port of their own, and stops in order on SIGTERM", arguments: [SIGTERM, SIGINT])
    func signals(signal: Int32) async throws {
        let metricsPort = try freePort()
        let process = try probe(["ORRERY_METRICS_PORT": "\(metricsPort)"])
        let started = try await process.line("Started")
        let port = try #require(started["port"] as? String)
        func get(_ url: String) async throws -> (status: Int, body: String) {
            let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(10))
            return (Int(answer.status.code), String(buffer: try await answer.body.collect(upTo: 1 << 20)))
        }
        #expect(try await get("http://127.0.0.1:\(port)/hello").body == "hello")
        #expect(try await get("http://127.0.0.1:\(port)/metrics").status == 404)
        let metrics = try await get("http://127.0.0.1:\(metricsPort)/metrics")
        #expect(metrics.body.contains("http_requests_total{method=\"GET\",route=\"/hello\",status=\"200\"} 1"))
        process.send(signal)
        _ = try await process.line("Stopping")
        _ = try await process.line("Stopped")
        #expect(await process.status() == 0)
    }

    @Test("A start that fails is status 1 and one sentence") func failing() async throws {
        let process = try probe(["ORRERY_PROBE_FAIL": "There is no moon."])
        #expect(try await process.line("kit-probe stops: There is no moon.")["level"] as? String == "critical")
        #expect(await process.status() == 1)
    }

    @Test(
        "A bad setting is named",
        arguments: [
            (["ORRERY_HTTP_PORT": "eighty"], "kit-probe stops: ORRERY_HTTP_PORT is \"eighty\"; expected a whole number."),
            (
                ["ORRERY_PROBE_STORE": "yes"],
                "kit-probe stops: The secret ORRERY_POSTGRES_URL is not set, and ORRERY_SECRETS_DIR has no file postgres-url."
            ),
            (
                ["ORRERY_TLS_CERTIFICATE": "/tls.crt"], "kit-probe stops: ORRERY_TLS_CERTIFICATE is set without ORRERY_TLS_KEY."
            ),
            (
                ["ORRERY_LOG_LEVEL": "loud"],
                "kit-probe stops: ORRERY_LOG_LEVEL is none of trace, debug, info, notice, warning, error, critical."
            ),
        ])
    func settings(environment: [String: String], sentence: String) async throws {
        let process = try probe(environment)
        _ = try await process.line(sentence)
        #expect(await process.status() == 1)
    }

    @Test("A signal while it waits for its store ends it at once") func early() async throws {
        let process = try probe([
            "ORRERY_PROBE_STORE": "yes", "ORRERY_POSTGRES_URL": "postgres://x@127.0.0.1:1/x", "ORRERY_POSTGRES_WAIT": "0.2",
        ])
        _ = try await process.line("Postgres is away; waiting for it")
        process.send(SIGTERM)
        #expect(await process.status() == 0)
    }

    @Test("A port that is taken ends the start with status 1") func taken() async throws {
        let first = try probe([:])
        let port = try #require(try await first.line("Started")["port"] as? String)
        let second = try probe(["ORRERY_HTTP_PORT": port])
        #expect(await second.status() == 1)
        first.send(SIGTERM)
        #expect(await first.status() == 0)
    }
}
