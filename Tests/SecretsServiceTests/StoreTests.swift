import Foundation
import Kubernetes
import Logging
import PlatformModel
import ServiceKit
import ServiceTestSupport
import TestSupport
import Testing

@testable import SecretsService

/// Kubernetes beneath: the embedded cluster's API, and a genuine one where there is one.
enum Backend: String, CaseIterable, Sendable {
    case embedded, genuine

    static var genuineKubeconfig: String? { ProcessInfo.processInfo.environment["ORRERY_TEST_KUBECONFIG"] }
    static var available: [Backend] { genuineKubeconfig == nil ? [.embedded] : [.embedded, .genuine] }

    /// A store, and a project of its own, gone afterwards.
    func with(_ body: (SecretStore, KubernetesClient, SecretPlace) async throws -> Void) async throws {
        switch self {
        case .embedded:
            try await ClusterInProcess.with { (cluster, _) async throws in
                try await run(KubernetesConfiguration(url: cluster.url, token: ClusterInProcess.token), body)
            }
        case .genuine: try await run(.kubeconfig(path: Self.genuineKubeconfig ?? ""), body)
        }
    }

    private func run(
        _ configuration: KubernetesConfiguration, _ body: (SecretStore, KubernetesClient, SecretPlace) async throws -> Void
    ) async throws {
        let logger = TestLog().logger("store")
        let client = try KubernetesClient(configuration, logger: logger)
        let virtual = VirtualClusters(limit: 2, callTimeout: .seconds(10), logger: logger)
        let store = SecretStore(homes: ProjectHomes(host: client, virtual: virtual), logger: logger)
        let place = SecretPlace(
            org: try OrgName("o" + UUID().uuidString.lowercased().prefix(8)), project: try ProjectName("vision"))
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(store, client, place)) } catch { outcome = .failure(error) }
        try? await client.delete(.namespaces, place.namespace.name)
        try await client.shutdown()
        try outcome.get()
    }
}

/// How secrets lie in Kubernetes (secrets.md 5).
@Suite(.timeLimit(.minutes(3))) struct StoreTests {
    private func value(_ text: String) -> SecretValue { SecretValue(Data(text.utf8)) }

    @Test(arguments: Backend.available) func whereASecretLies(_ backend: Backend) async throws {
        try await backend.with { store, client, place in
            for key in ["-", "_", ".-", "0", String(repeating: "k", count: 253)] {
                try await store.put(value(key), under: SecretKey(key), in: place)
            }
            let object = try await client.get(.secrets, place.objectName, in: place.namespace.name)
            #expect(object.type == "Opaque")
            #expect(object.metadata.labels == ["platform.neuromation.io/secret-api-org-name": place.org.text])
            #expect(object.data?["_"] == Data("_".utf8) && object.data?.count == 5)
            let namespace = try await client.get(.namespaces, place.namespace.name)
            #expect(namespace.metadata.labels["platform.apolo.us/org"] == place.org.text)
            #expect(namespace.metadata.labels["platform.apolo.us/project"] == "vision")
            let policy = try await client.get(.networkPolicies, place.namespace.name, in: place.namespace.name)
            #expect(policy.spec?.policyTypes == ["Egress"] && policy.spec?.egress?.count ?? 0 >= 4)
        }
    }

    @Test(arguments: Backend.available) func replacingRemovingAddingAgain(_ backend: Backend) async throws {
        try await backend.with { store, client, place in
            let (one, two, three) = (try SecretKey("one"), try SecretKey("two"), try SecretKey("three"))
            #expect(try await store.keys(in: place) == [])
            await #expect(throws: SecretStore.Refusal.unknown(one)) { try await store.remove(one, from: place) }
            await #expect(throws: SecretStore.Refusal.unknown(one)) { try await store.value(of: one, in: place) }
            // Looking makes nothing.
            #expect(try await client.find(.namespaces, place.namespace.name) == nil)
            for key in [three, one, two] { try await store.put(value(key.text), under: key, in: place) }
            try await store.put(value("other"), under: one, in: place)
            #expect(try await store.value(of: one, in: place).data == Data("other".utf8))
            let four = try SecretKey("four")
            await #expect(throws: SecretStore.Refusal.unknown(four)) { try await store.remove(four, from: place) }
            try await store.remove(two, from: place)
            #expect(try await store.keys(in: place) == [one, three])
            for key in [one, three] { try await store.remove(key, from: place) }
            #expect(try await store.keys(in: place) == [])
            await #expect(throws: SecretStore.Refusal.unknown(one)) { try await store.remove(one, from: place) }
            try await store.put(value("again"), under: one, in: place)
            #expect(try await store.keys(in: place) == [one])
            #expect(try await store.projects(of: place.org) == [place])
        }
    }

    /// The bound is on all values of a project together, decoded.
    @Test(arguments: Backend.available) func aMebibyteAndNoMore(_ backend: Backend) async throws {
        try await backend.with { store, _, place in
            let (key, other) = (try SecretKey("key"), try SecretKey("other"))
            let whole = Data(repeating: 7, count: 1_048_576)
            await #expect(throws: SecretStore.Refusal.notStorable(key)) {
                try await store.put(SecretValue(whole + [7]), under: key, in: place)
            }
            try await store.put(SecretValue(whole), under: key, in: place)
            #expect(try await store.value(of: key, in: place).data == whole)
            await #expect(throws: SecretStore.Refusal.notStorable(other)) { try await store.put(value("x"), under: other, in: place) }
            // What failed leaves what was there.
            #expect(try await store.keys(in: place) == [key])
            #expect(try await store.value(of: key, in: place).data == whole)
        }
    }

    @Test(arguments: Backend.available) func writersOfDifferentKeysDoNotMeet(_ backend: Backend) async throws {
        try await backend.with { store, _, place in
            let keys = try (0..<24).map { try SecretKey("key-\($0)") }
            // The first of them make the namespace and the Secret, all at once.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for key in keys { group.addTask { try await store.put(value(key.text), under: key, in: place) } }
                try await group.waitForAll()
            }
            #expect(try await store.keys(in: place) == keys.sorted())
            // Half go while others are replaced; of writers of one key the last one wins.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, key) in keys.enumerated() {
                    group.addTask {
                        if number % 2 == 0 {
                            try await store.remove(key, from: place)
                        } else {
                            try await store.put(value("new"), under: key, in: place)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.keys(in: place).count == 12)
            #expect(try await store.value(of: keys[1], in: place).data == Data("new".utf8))
        }
    }

    /// Names that follow the platform's rules and not Kubernetes'.
    @Test(arguments: Backend.available) func namesThatAreTooLong(_ backend: Backend) async throws {
        try await backend.with { store, client, place in
            let key = try SecretKey("K")
            for (org, project) in [(64, 3), (3, 64), (100, 100)] {
                let long = SecretPlace(
                    org: try OrgName(String(repeating: "a", count: org)), project: try ProjectName(String(repeating: "b", count: project)))
                await #expect(throws: SecretStore.Refusal.notStorable(key)) { try await store.put(value("v"), under: key, in: long) }
                await #expect(throws: SecretStore.Refusal.unknown(key)) { try await store.value(of: key, in: long) }
                await #expect(throws: SecretStore.Refusal.unknown(key)) { try await store.remove(key, from: long) }
                #expect(try await store.keys(in: long) == [])
                #expect(try await client.find(.namespaces, long.namespace.name) == nil)
            }
            #expect(try await store.projects(of: OrgName(String(repeating: "a", count: 64))) == [])
        }
    }

    /// Other Secrets of the namespace are nobody's business here, and so are keys that this API would not have stored.
    @Test(arguments: Backend.available) func onlyTheOneSecretIsTouched(_ backend: Backend) async throws {
        try await backend.with { store, client, place in
            try await store.put(value("v"), under: SecretKey("K"), in: place)
            let namespace = place.namespace.name
            for name in ["apps-secrets", "project--\(place.org)--other--secrets"] {
                let metadata = ObjectMeta(name: name, labels: [SecretPlace.orgLabel: place.org.text])
                try await client.create(.secrets, KubernetesSecret(metadata: metadata, data: ["X": Data("x".utf8)]), in: namespace)
            }
            #expect(try await store.keys(in: place) == [SecretKey("K")])
            let other = try SecretKey("X")
            await #expect(throws: SecretStore.Refusal.unknown(other)) { try await store.value(of: other, in: place) }
        }
    }
}
