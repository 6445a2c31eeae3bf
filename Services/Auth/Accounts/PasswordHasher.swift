import NIOPosix
import ServiceKit

/// Hashes and compares passwords on threads of their own, a few at a time: each takes tens of megabytes.
actor PasswordHasher {
    let parameters: PasswordRecord.Parameters
    /// Compared with when there is no such account, so that the answer takes as long.
    private let decoy: PasswordRecord
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private static let maximumWaiting = 64

    init(parameters: PasswordRecord.Parameters, parallel: Int = 2) {
        self.parameters = parameters
        free = parallel
        decoy = PasswordRecord(matchingNothing: parameters)
    }

    func hash(_ password: String) async throws -> PasswordRecord {
        try await onThread { [parameters] in try PasswordRecord(password, parameters) }
    }

    /// Whether this is the password; false after the same time when there is none to compare with.
    func matches(_ password: String, _ record: PasswordRecord?) async throws -> Bool {
        try await onThread { [decoy] in
            let same = try (record ?? decoy).matches(password)
            return same && record != nil
        }
    }

    private func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        if free > 0 {
            free -= 1
        } else {
            guard waiting.count < Self.maximumWaiting else {
                throw PlatformError.unavailable("Too many people sign in at once; try again.")
            }
            await withCheckedContinuation { waiting.append($0) }
        }
        defer {
            if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
        }
        return try await NIOThreadPool.singleton.runIfActive(body)
    }
}
