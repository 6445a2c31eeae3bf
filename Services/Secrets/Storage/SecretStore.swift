import Foundation
import Kubernetes
import Logging
import PlatformModel
import ServiceKit

/// The secrets of projects, in Kubernetes. Changes are patches of single keys, so that writers of different keys do not meet; nothing is
/// cached, so that a write is visible everywhere at once.
struct SecretStore: Sendable {
    let homes: ProjectHomes
    let logger: Logger

    /// How often a write is tried that others came before.
    private static let attempts = 8

    /// What a request to the store can end with, other than what it asked for.
    enum Refusal: Error, Equatable {
        case notStorable(SecretKey)
        case unknown(SecretKey)
        /// The project's namespace is somebody else's.
        case foreignNamespace(String)
    }

    /// Keys of a project, in order.
    func keys(in place: SecretPlace) async throws -> [SecretKey] {
        guard place.isStorable else { return [] }
        return try await answered { try await object(of: place)?.data ?? [:] }.keys.compactMap(SecretKey.init(stored:)).sorted()
    }

    /// The projects of an organization that may have secrets.
    func projects(of org: OrgName) async throws -> [SecretPlace] { try await answered { try await homes.projects(of: org) } }

    /// - Throws: `Refusal.unknown`.
    func value(of key: SecretKey, in place: SecretPlace) async throws -> SecretValue {
        guard place.isStorable, let bytes = try await answered({ try await object(of: place)?.data?[key.text] }) else {
            throw Refusal.unknown(key)
        }
        return SecretValue(bytes)
    }

    /// Creates or replaces; the project's namespace is made if it does not stand.
    /// - Throws: `Refusal.notStorable` for what Kubernetes does not take, `Refusal.foreignNamespace`.
    func put(_ value: SecretValue, under key: SecretKey, in place: SecretPlace) async throws {
        guard place.isStorable else { throw Refusal.notStorable(key) }
        try await answered {
            do {
                try await homes.with(place) { home in try await put(value, under: key, in: place, at: home) }
            } catch let error as KubernetesError where [400, 413, 422].contains(error.code) {
                throw Refusal.notStorable(key)
            }
        }
    }

    /// - Throws: `Refusal.unknown`.
    func remove(_ key: SecretKey, from place: SecretPlace) async throws {
        guard place.isStorable else { throw Refusal.unknown(key) }
        try await answered {
            do {
                try await homes.with(place) { home in
                    try await retrying {
                        try await home.client.patch(
                            .secrets, place.objectName, in: home.namespace,
                            .json([["op": "remove", "path": .string("/data/" + key.text)]]))
                    }
                }
            } catch let error as KubernetesError where error.isNotFound || error.isInvalid {
                throw Refusal.unknown(key)
            }
        }
    }

    /// Removes the project's Secret with all that it holds, if there is one.
    func removeAll(of place: SecretPlace) async throws {
        guard place.isStorable else { return }
        try await answered {
            do {
                try await homes.with(place) { home in try await home.client.delete(.secrets, place.objectName, in: home.namespace) }
            } catch let error as KubernetesError where error.isNotFound {
                // It never had one, or it is gone.
            }
        }
    }

    private func object(of place: SecretPlace) async throws -> KubernetesSecret? {
        try await homes.with(place) { home in try await home.client.find(.secrets, place.objectName, in: home.namespace) }
    }

    private func put(_ value: SecretValue, under key: SecretKey, in place: SecretPlace, at home: ProjectHomes.Home) async throws {
        try await retrying {
            do {
                try await home.client.patch(
                    .secrets, place.objectName, in: home.namespace, .merge(["data": [key.text: .string(value.base64)]]))
            } catch let error as KubernetesError where error.isNotFound {
                if !home.isVirtual { try await ensureNamespace(of: place, on: home.client) }
                let secret = KubernetesSecret(
                    metadata: ObjectMeta(name: place.objectName, labels: [SecretPlace.orgLabel: place.org.text]), type: "Opaque",
                    data: [key.text: value.data])
                try await home.client.create(.secrets, secret, in: home.namespace)
            }
        }
    }

    private func ensureNamespace(of place: SecretPlace, on host: KubernetesClient) async throws {
        let namespace = place.namespace
        if let standing = try await host.find(.namespaces, namespace.name), !namespace.owns(standing) {
            logger.error("A namespace has another owner's labels", metadata: ["namespace": "\(namespace.name)"])
            throw Refusal.foreignNamespace(place.project.text)
        }
        try await namespace.ensure(on: host)
    }

    /// Again when somebody else was first: another writer of the same object, or of the first key.
    private func retrying<T>(_ write: () async throws -> T) async throws {
        for attempt in 1... {
            do {
                _ = try await write()
                return
            } catch let error as KubernetesError where (error.isConflict || error.isAlreadyExists) && attempt < Self.attempts {
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...20) * attempt))
            }
        }
    }

    private func answered<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let error as KubernetesError { throw StoreFailure(error) }
    }
}

extension SecretStore.Refusal: PlatformErrorConvertible {
    var platformError: PlatformError {
        switch self {
        case .notStorable(let key): .badRequest("Secret key '\(key.text)' or its value not valid")
        case .unknown(let key):
            PlatformError(.notFound, "Secret not found", body: ["error": "Secret '\(key.text)' not found"])
        case .foreignNamespace(let project): .conflict("The namespace of project '\(project)' belongs to somebody else")
        }
    }
}
