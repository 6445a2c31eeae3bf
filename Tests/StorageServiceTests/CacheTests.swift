import Foundation
import Identity
import PlatformModel
import ServiceKit
import Synchronization
import Testing

@testable import StorageService

/// The memory of permissions, with a clock and an auth-api that the test holds.
@Suite(.timeLimit(.minutes(10)))
struct CacheTests {
    private final class Source: PermissionSource {
        private struct State {
            var root = PermissionTree.Node(action: .deny)
            var trees: [String] = []
            var checks = 0
            var clock = ContinuousClock.now
            var isAway = false
        }
        private let state = Mutex(State())

        func holds(_ wanted: [(path: StoragePath, action: Action)], as caller: Caller) async throws -> Bool {
            state.withLock { state in
                state.checks += 1
                return wanted.allSatisfy { state.root.descending($0.path.components).action >= $0.action }
            }
        }

        func node(of path: StoragePath, as caller: Caller) async throws -> PermissionTree.Node {
            let (node, isAway) = state.withLock { state in
                state.trees.append(path.text)
                return (state.root.descending(path.components), state.isAway)
            }
            for _ in 0..<100 { await Task.yield() }
            if isAway { throw PlatformError.unavailable("auth-api is away.") }
            return node
        }

        func set(_ action: Action, below: [String: Action] = [:]) {
            state.withLock { $0.root = .init(action: action, children: below.mapValues { .init(action: $0) }) }
        }
        func isAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }
        func pass(_ seconds: Int) { state.withLock { $0.clock += .seconds(seconds) } }
        var now: ContinuousClock.Instant { state.withLock(\.clock) }
        var trees: [String] { state.withLock(\.trees) }
        var checks: Int { state.withLock(\.checks) }
    }

    private let source = Source()
    private let cache: PermissionCache
    private let alice = Caller(name: "alice", token: "t")
    private let root = StoragePath.root

    init() {
        cache = PermissionCache(
            source, .init(expiration: .seconds(100), forgetting: .seconds(1000)), limit: 50, now: { [source] in source.now })
    }

    private func path(_ text: String) throws -> StoragePath { try StoragePath(text) }
    private func holds(_ text: String, _ action: Action) async throws -> Bool {
        try await cache.holds([(path(text), action)], as: alice)
    }

    @Test func whatIsKnownIsNotAskedAgain() async throws {
        source.set(.read, below: ["child": .write])
        #expect(try await cache.node(of: root, as: alice).action == .read)
        #expect(try await cache.node(of: root, as: alice).action == .read)
        #expect(try await holds("/", .read))
        #expect(try await holds("/child", .write))
        #expect(try await cache.node(of: path("/child/x"), as: alice).action == .write)
        #expect(try await holds("/unknown", .read))
        #expect(source.trees == ["/"] && source.checks == 0)
        // What is not granted by what is known is asked.
        #expect(try await !holds("/unknown", .write))
        source.set(.write)
        #expect(try await holds("/unknown", .write))
        #expect(source.checks == 2)
        // Another token is another caller.
        _ = try await cache.node(of: root, as: Caller(name: "alice", token: "u"))
        #expect(source.trees.count == 2)
    }

    @Test func anExpiredPlaceAboveIsAskedOnceForAll() async throws {
        source.set(.read, below: ["child": .write])
        _ = try await cache.node(of: root, as: alice)
        source.pass(101)
        let child = try path("/child")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask { [cache, alice] () async throws in
                    if number % 2 == 0 {
                        #expect(try await cache.holds([(child, .write)], as: alice))
                    } else {
                        #expect(try await cache.node(of: child, as: alice).action == .write)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(source.trees == ["/", "/"] && source.checks == 0)
    }

    /// Of many who wait for an auth-api that does not answer, none waits for the others' failures before his own.
    @Test func aFailureIsToldToAllWhoWaitForIt() async throws {
        source.set(.write)
        _ = try await cache.node(of: root, as: alice)
        source.pass(101)
        source.isAway(true)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask {
                    await #expect(throws: PlatformError.self) { try await cache.node(of: path("/child\(number)"), as: alice) }
                }
            }
            try await group.waitForAll()
        }
        #expect(source.trees.count < 10, "\(source.trees)")
        source.isAway(false)
        #expect(try await cache.node(of: path("/child"), as: alice).action == .write)
    }

    @Test func aRightTakenAwayHoldsUntilItExpires() async throws {
        source.set(.read)
        _ = try await cache.node(of: root, as: alice)
        source.set(.deny)
        source.pass(99)
        #expect(try await holds("/x", .read))
        source.pass(2)
        #expect(try await cache.node(of: root, as: alice).action == .deny)
        #expect(source.trees == ["/", "/"])
        #expect(try await !holds("/x", .read))
    }

    @Test func whatIsNotUsedIsForgottenAndWhatIsUsedStays() async throws {
        source.set(.read)
        _ = try await cache.node(of: root, as: alice)
        for _ in 0..<12 {
            source.pass(101)
            #expect(try await holds("/x", .read))
        }
        #expect(source.checks == 0 && source.trees.count == 13)
        source.set(.deny)
        source.pass(1001)
        #expect(try await !holds("/x", .read))
        #expect(source.checks == 1 && source.trees.count == 13)
    }

    @Test func aRefusalIsNotRemembered() async throws {
        #expect(try await cache.node(of: root, as: alice).action == .deny)
        #expect(try await cache.node(of: root, as: alice).action == .deny)
        source.set(.read)
        #expect(try await cache.node(of: root, as: alice).action == .read)
        #expect(source.trees.count == 3)
    }

    @Test func itIsBounded() async throws {
        source.set(.read)
        for number in 0..<200 { _ = try await cache.node(of: path("/\(number)"), as: alice) }
        #expect(await cache.count <= 50)
        let before = source.trees.count
        _ = try await cache.node(of: path("/199"), as: alice)
        #expect(source.trees.count == before, "the newest is kept")
    }
}
