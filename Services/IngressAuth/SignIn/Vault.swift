import Foundation
import Redis

/// Small secrets in Redis that every replica sees: named by a keyed digest, sealed, and gone after their time. Whoever reads the store can
/// neither use nor tell apart what is in it. An emptied store costs visitors one more sign-in, nothing else.
struct Vault: Sendable {
    let redis: RedisClient
    let prefix: String
    let keys: KeyRing

    private static let swap = RedisScript(
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
        return 1
        """)

    /// A value as it was found, to be exchanged for another.
    struct Found<Value: Sendable>: Sendable {
        let value: Value
        fileprivate let key: String
        fileprivate let sealed: [UInt8]
    }

    func put(_ value: some Encodable, _ kind: String, _ id: String, seconds: Int) async throws {
        let key = names(kind, id)[0]
        try await redis.send("SET", [RedisArgument(key), try seal(value, key), "EX", RedisArgument(max(1, seconds))])
    }

    /// nil: never there, or gone.
    func find<Value: Decodable & Sendable>(_ kind: String, _ id: String, as type: Value.Type = Value.self) async throws -> Found<Value>? {
        for key in names(kind, id) {
            guard let sealed = try await redis.send("GET", [RedisArgument(key)]).bytes else { continue }
            guard let data = keys.open(Data(sealed), for: .store, context: key), let value = try? JSONDecoder().decode(type, from: data)
            else { continue }
            return Found(value: value, key: key, sealed: sealed)
        }
        return nil
    }

    /// Puts another value in place of the one found; false when somebody else did so first.
    func exchange<Value>(_ found: Found<Value>, for value: some Encodable, seconds: Int) async throws -> Bool {
        try await redis.evaluate(
            Self.swap, keys: [found.key],
            arguments: [RedisArgument(found.sealed), try seal(value, found.key), RedisArgument(max(1, seconds))]
        ).int == 1
    }

    /// False when it was marked before, by whichever replica.
    func mark(_ kind: String, _ id: String, seconds: Int) async throws -> Bool {
        try await !redis.send("SET", [RedisArgument(names(kind, id)[0]), "1", "NX", "EX", RedisArgument(seconds)]).isNull
    }

    func remove(_ kind: String, _ id: String) async throws {
        try await redis.send("DEL", names(kind, id).map { RedisArgument($0) })
    }

    private func seal(_ value: some Encodable, _ key: String) throws -> RedisArgument {
        RedisArgument(Array(try keys.seal(JSONEncoder().encode(value), for: .store, context: key)))
    }

    private func names(_ kind: String, _ id: String) -> [String] { keys.storageNames(of: "\(kind) \(id)").map { "\(prefix)\(kind):\($0)" } }
}
