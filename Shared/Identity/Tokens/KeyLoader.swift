import JWTKit
import ServiceKit

/// The key collection of one issuer and when it was loaded.
struct LoadedKeys: Sendable {
    let collection: JWTKeyCollection
    let ids: Set<String>
    let loadedAt: ContinuousClock.Instant

    init(_ set: PublicKeySet) async throws {
        collection = JWTKeyCollection()
        for key in set.keys {
            await collection.add(ecdsa: try ES256PublicKey(parameters: (x: key.x, y: key.y)), kid: JWKIdentifier(string: key.kid))
        }
        ids = Set(set.keys.map(\.kid))
        loadedAt = .now
    }
}

/// Fetches the issuer's keys: once for all who wait, not again within `minimumInterval` of an unknown key id, and with patience while there
/// are none at all.
actor KeyLoader {
    private let fetch: @Sendable () async throws -> PublicKeySet
    private let minimumInterval: Duration
    private let maximumAge: Duration
    private let patience: Duration
    private var keys: LoadedKeys?
    private var lastAttempt: ContinuousClock.Instant?
    private var isLoading = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(
        minimumInterval: Duration, maximumAge: Duration, patience: Duration, _ fetch: @escaping @Sendable () async throws -> PublicKeySet
    ) {
        self.minimumInterval = minimumInterval
        self.maximumAge = maximumAge
        self.patience = patience
        self.fetch = fetch
    }

    /// The collection, holding `id` if the issuer knows it.
    /// - Throws: `PlatformError` 503 when the issuer does not answer and it cannot be known.
    func keys(for id: String) async throws -> LoadedKeys {
        let deadline = ContinuousClock.now + patience
        while true {
            if let keys, keys.ids.contains(id), .now - keys.loadedAt < maximumAge { return keys }
            if let keys, let lastAttempt, .now - lastAttempt < minimumInterval { return keys }
            if isLoading {
                await withCheckedContinuation { waiting.append($0) }
                continue
            }
            do {
                try await load()
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // Keys that are merely old still tell which tokens are genuine.
                if let keys, keys.ids.contains(id) { return keys }
                guard keys == nil, .now < deadline else { throw PlatformError.unavailable("The token cannot be verified now; try again.") }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private func load() async throws {
        isLoading = true
        defer {
            isLoading = false
            lastAttempt = .now
            waiting.forEach { $0.resume() }
            waiting = []
        }
        keys = try await LoadedKeys(fetch())
    }
}
