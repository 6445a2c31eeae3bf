import Foundation
import Hummingbird
import Kubernetes
import PlatformModel
import ServiceKit
import TestSupport
import Testing

@testable import JobsService

/// Secrets of jobs: who may use them, where the pod has them from, and what becomes of a job whose secrets are not there.
@Suite struct JobSecretTests {
    private func uri(_ key: String, _ place: String = "acme/proj") throws -> ResourceURI {
        try ResourceURI("secret://test-cluster/\(place)/\(key)")
    }

    private func body(env: JSON = [:], volumes: JSON = []) -> Body {
        [
            "container": [
                "image": "ubuntu:20.10", "command": "true", "resources": ["cpu": 0.1, "memory": 33_554_432], "secret_env": env,
                "secret_volumes": volumes,
            ],
            "project_name": "proj",
        ]
    }

    /// Variables and files alike, each secret once.
    @Test func readingIsAskedForEverySecret() async throws {
        try await Fixture.run { service, _ in
            let refused = try await service.post(
                "/api/v1/jobs", token: "alice",
                body(
                    env: [
                        "A": "secret://test-cluster/beta/other/env", "B": "secret://test-cluster/beta/other/env",
                        "C": "secret://test-cluster/acme/proj/mine",
                    ],
                    volumes: [
                        ["src_secret_uri": "secret://test-cluster/beta/other/env", "dst_path": "/a"],
                        ["src_secret_uri": "secret://test-cluster/beta/other/file", "dst_path": "/b"],
                    ]))
            #expect(refused.status == 403)
            let missing = ["env", "file"].map { #"{"action":"read","uri":"secret://test-cluster/beta/other/\#($0)"}"# }
            #expect(refused.body == #"{"missing":[\#(missing.joined(separator: ","))]}"#)
        }
    }

    @Test func theSameSecretAsOftenAsOneLikes() async throws {
        try await Fixture.run { service, _ in
            let key: JSON = "secret://test-cluster/acme/proj/key"
            let volumes: JSON = [
                ["src_secret_uri": key, "dst_path": "/bbb/key"], ["src_secret_uri": key, "dst_path": "/bbb/ccc/key"],
                ["src_secret_uri": "secret://test-cluster/acme/proj/a%252d", "dst_path": "/aaa"],
            ]
            let answer = try await service.post("/api/v1/jobs", token: "alice", body(env: ["X": key, "Y": key], volumes: volumes))
            #expect(answer.status == 202, "\(answer.body)")
            let container = try answer.json(JSON.self)["container"]
            #expect(container?["secret_env"] == ["X": key, "Y": key])
            #expect(container?["secret_volumes"] == volumes)
            let twice = try await service.post(
                "/api/v1/jobs", token: "alice",
                body(volumes: [["src_secret_uri": key, "dst_path": "/a"], ["src_secret_uri": key, "dst_path": "/a/."]]))
            #expect(twice.status == 400 && twice.error?.contains("destination path '/a' was encountered multiple times") == true)
        }
    }

    /// One volume a project, one mount a file.
    @Test func filesOfAPod() throws {
        var container = Fixture.spec().container
        let long = String(repeating: "p", count: 50)
        container.secretVolumes = [
            .init(sourceURI: try uri("one"), path: "/bbb/x"), .init(sourceURI: try uri("two"), path: "/bbb/ccc/y"),
            .init(sourceURI: try uri("one"), path: "/bbb/z"), .init(sourceURI: try uri("three", "acme/" + long), path: "/l"),
        ]
        let made = PodVolumes(container)
        #expect(made.volumes.map(\.secret?.secretName) == ["project--acme--proj--secrets", "project--acme--\(long)--secrets"])
        #expect(made.volumes.map(\.secret?.defaultMode) == [0o400, 0o400])
        let names = made.volumes.map(\.name)
        #expect(names[0] == "project--acme--proj--secrets" && names[1].count == 62 && names[1].hasPrefix("project--acme--ppp"))
        #expect(made.mounts.map(\.mountPath) == ["/bbb/x", "/bbb/ccc/y", "/bbb/z", "/l"])
        #expect(made.mounts.map(\.subPath) == ["one", "two", "one", "three"])
        #expect(made.mounts.map(\.name) == [names[0], names[0], names[0], names[1]])
        #expect(made.mounts.allSatisfy { $0.readOnly == true })
        // The Secret of a path of one segment.
        #expect(SecretReference(try ResourceURI("secret://test-cluster/test-user/key")).objectName == "project--test-user--secrets")
    }

    /// Only what is missing is named, in order; a Secret that is not there lacks everything; no change is made for it.
    @Test func whatIsMissing() async throws {
        try await withService(SecretsOfAProject.self, settings: ["postgres.url": "none"]) { (kubernetes) async throws in
            let logger = TestLog().logger("jobs")
            let client = try KubernetesClient(KubernetesConfiguration(server: kubernetes.url), logger: logger)
            let objects = JobObjects(
                client: client, settings: ControllerSettings(registryPassword: nil),
                mayAct: { throw PlatformError.conflict("nothing is to be changed") }, logger: logger)
            func missing(env: [String: ResourceURI] = [:], files: [ResourceURI] = []) async -> [String]? {
                var spec = Fixture.spec()
                spec.container.secretEnv = env
                spec.container.secretVolumes = files.enumerated().map { .init(sourceURI: $1, path: "/f\($0)") }
                do {
                    try await objects.checkReferences(Fixture.draft(spec: spec))
                    return []
                } catch JobStartRefusal.missingSecrets(let keys) {
                    return keys.sorted()
                } catch {
                    return nil
                }
            }
            let outcome: Result<Void, any Error>
            do {
                #expect(await missing(env: ["A": try uri("key2")], files: [try uri("key2")]) == [])
                #expect(await missing(env: ["A": try uri("key3"), "B": try uri("key2")], files: [try uri("key1")]) == ["key1", "key3"])
                #expect(await missing(env: ["A": try uri("key2", "acme/other")]) == ["key2"])
                outcome = .success(())
            } catch { outcome = .failure(error) }
            try await client.shutdown()
            try outcome.get()
        }
    }
}

/// The secrets of `acme/proj`: `key2`.
private struct SecretsOfAProject: PlatformService {
    static let name = "kubernetes"

    init(_ context: ServiceContext) async throws {}

    func register(on router: PlatformRouter) {
        router.get("/api/v1/namespaces/{namespace}/secrets/{name}", access: .anyone) { _, context in
            guard try context.parameter("name") == "project--acme--proj--secrets" else { throw PlatformError.notFound() }
            return JSONResponse(KubernetesSecret(metadata: ObjectMeta(name: "project--acme--proj--secrets"), data: ["key2": Data([1])]))
        }
    }
}
