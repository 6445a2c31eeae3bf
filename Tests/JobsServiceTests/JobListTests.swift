import Foundation
import NIOHTTP1
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import JobsService

/// `GET /api/v1/jobs` over a socket.
@Suite struct JobListTests {
    private struct List: Decodable { let jobs: [JobResponse] }

    private func list(_ service: TestService, _ query: String = "", token: String = "alice") async throws -> [String] {
        let answer = try await service.get("/api/v1/jobs?\(query)", token: token)
        #expect(answer.status == 200, "\(query): \(answer.body)")
        return try answer.json(List.self).jobs.map { $0.name ?? $0.id.text }
    }

    /// Stores jobs directly: what is tested is reading them.
    private func fill(_ service: TestService) async throws -> JobStore {
        let store = JobStore(pool: try await service.assembly.context.postgres(), logger: service.assembly.context.logger)
        for (name, owner, org, project, tags) in [
            ("one", "alice", "acme", "proj", ["a", "b"]), ("two", "alice/service-accounts/ci", "acme", "proj", ["a"]),
            ("three", "bob", "beta", "other", []), ("four", "alice", "second-org", "proj", ["b"]),
        ] {
            try await store.insert(Fixture.draft(name: name, owner: owner, org: org, project: project, tags: tags))
        }
        return store
    }

    @Test func filters() async throws {
        try await Fixture.run { service, _ in
            let store = try await fill(service)
            let jobs = try await store.list(JobFilter(), visibleTo: .all, reverse: false, limit: 10).jobs
            try await store.apply([.reported(.init(.running)), .materialized(true)], to: jobs[0].id)
            try await store.apply([.reported(.init(.failed)), .dropped], to: jobs[1].id)
            let created = jobs.map { $0.history.createdAt.description.replacingOccurrences(of: "+", with: "%2B") }
            let hash = jobs[0].orgProjectHash
            for (query, names) in [
                ("", ["one", "two", "three", "four"]), ("reverse=1", ["four", "three", "two", "one"]), ("limit=2", ["one", "two"]),
                ("reverse=True&limit=1", ["four"]), ("limit=99999999999999999999999", ["one", "two", "three", "four"]),
                ("status=running", ["one"]), ("status=running&status=failed", ["one", "two"]), ("name=two", ["two"]),
                ("name=two&name=one", ["two"]), ("owner=alice", ["one", "four"]), ("owner=alice/service-accounts/ci", ["two"]),
                ("owner=alice&owner=bob", ["one", "three", "four"]), ("base_owner=alice", ["one", "two", "four"]),
                ("org_name=acme&org_name=beta", ["one", "two", "three"]), ("project_name=other", ["three"]),
                ("cluster_name=other-cluster", []), ("cluster_name=test-cluster", ["one", "two", "three", "four"]),
                ("tag=a", ["one", "two"]),
                ("tag=a&tag=b", ["one"]), ("tag=none", []), ("materialized=True", ["one"]), ("being_dropped=1", ["two"]),
                ("being_dropped=False&logs_removed=False", ["one", "three", "four"]), ("logs_removed=true", []),
                ("since=\(created[2])", ["three", "four"]), ("until=\(created[1])", ["one", "two"]),
                ("since=\(created[1])&until=\(created[1])", ["two"]), ("since=\(created[1])&until=\(created[0])", []),
                ("since=", ["one", "two", "three", "four"]),
                ("hostname=one--\(hash).any.domain", ["one"]), ("hostname=one--\(hash.uppercased())", ["one"]),
                ("hostname=\(jobs[2].id).x", ["three"]), ("hostname=four--\(hash)", []), ("hostname=unknown.x", []),
                ("hostname=one--\(hash)&status=failed", []), ("hostname=one--\(hash)&owner=bob", ["one"]),
                ("unknown=1", ["one", "two", "three", "four"]),
            ] {
                #expect(try await list(service, query, token: "root") == names, "\(query)")
            }
            #expect(try await list(service, token: "alice") == ["one", "two"])
            #expect(try await list(service, token: "bob") == ["three"])
            #expect(try await list(service, token: "homeless") == [])
            #expect(try await list(service, "hostname=\(jobs[2].id)", token: "alice") == [])
        }
    }

    @Test(arguments: [
        ("reverse=spam", #"Required "0", "1", "false" or "true""#), ("limit=spam", "invalid literal for int"),
        ("limit=0", "limit should be > 0"),
        ("limit=-5", "limit should be > 0"), ("status=abrakadabra", "'abrakadabra' is not a valid JobStatus"),
        ("status=running&status=x", "'x' is not a valid JobStatus"), ("name=InValid_Name.txt", "does not match pattern"),
        ("name=", "blank"),
        ("name=jt", "shorter than 3"), ("owner=jd", "shorter than 3"), ("owner=john.doe", "does not match"),
        ("owner=john--doe", "does not match"),
        ("owner=abcdefghijklmnopqrstuvw", "longer than 21"), ("base_owner=test/foo/bar", "does not match"),
        ("org_name=NO_ORG", "does not match"),
        ("since=2021-01-01T00:00:00+00:00", "Invalid isoformat string"), ("until=yesterday", "Invalid isoformat string: 'yesterday'"),
        ("materialized=maybe", "Required"), ("hostname=x&name=abc", "Invalid request"), ("hostname=x&project_name=abc", "Invalid request"),
        ("hostname=a_b", "Invalid hostname"), ("hostname=Abc--0123456789", "does not match"),
        ("hostname=abc--012345678z", "Invalid hostname"),
        ("hostname=abc--01234", "Invalid hostname"), ("hostname=xn--johndoe", "String is shorter"), ("hostname=--0123456789", "blank"),
        ("hostname=abc--", "Invalid hostname"),
    ])
    func badQueries(query: String, text: String) throws {
        let error = try #require(throws: PlatformError.self) { try JobListQuery(QueryItems(query)) }
        #expect(error.status == .badRequest)
        #expect(error.message.contains(text), "\(error.message)")
    }

    @Test func goodOwners() throws {
        for owner in ["abcdefghijklmnopqrstu", "0ab", "a-b", "test/foo/bar", "alice/service-accounts/some-really-long-name"] {
            #expect(try JobListQuery(QueryItems("owner=\(owner)")).filter.owners == [owner])
        }
    }

    @Test func linesWhenAskedFor() async throws {
        try await Fixture.run { service, _ in
            let lines = HTTPHeaders([("Accept", "application/x-ndjson")])
            let empty = try await service.get("/api/v1/jobs", token: "alice", headers: lines)
            #expect(empty.status == 200 && empty.data.isEmpty)
            _ = try await fill(service)
            let answer = try await service.get("/api/v1/jobs?reverse=1", token: "root", headers: lines)
            #expect(answer.headers.first(name: "Content-Type") == "application/x-ndjson")
            #expect(answer.body.hasSuffix("\n"))
            let names = try answer.body.split(separator: "\n").map { line in
                try PlatformJSON.decoder().decode(JobResponse.self, from: Data(line.utf8)).name
            }
            #expect(names == ["four", "three", "two", "one"])
            let plain = try await service.get("/api/v1/jobs", token: "root")
            #expect(plain.headers.first(name: "Content-Type") == "application/json; charset=utf-8")
            // Refusals come before the stream, as ordinary answers.
            let refused = try await service.get("/api/v1/jobs?limit=0", token: "homeless", headers: lines)
            #expect(refused.status == 400 && refused.error == "limit should be > 0")
            #expect(try await service.get("/api/v1/jobs", token: "deleted", headers: lines).status == 401)
        }
    }

    @Test func manyJobsComeInOrderAndOnce() async throws {
        try await Fixture.run { service, _ in
            let store = JobStore(pool: try await service.assembly.context.postgres(), logger: service.assembly.context.logger)
            let first = try await store.insert(Fixture.draft())
            // All created at the same moment: the id decides.
            try await store.pool.execute(
                """
                INSERT INTO jobs (id, owner, cluster_name, org_name, project_name, org_project_hash, namespace, status, created_at,
                    last_change, history, spec)
                SELECT 'job-' || gen_random_uuid(), owner, cluster_name, org_name, project_name, org_project_hash, namespace, status,
                    created_at, last_change, history, spec
                FROM jobs, generate_series(1, 999) WHERE id = \(first.id.text)
                """)
            for (query, count) in [("", 1000), ("reverse=1", 1000), ("limit=250", 250), ("limit=100", 100)] {
                let names = try await list(service, query)
                #expect(names.count == count)
                #expect(names == names.sorted { query == "reverse=1" ? $0 > $1 : $0 < $1 })
                #expect(Set(names).count == count)
            }
        }
    }
}
