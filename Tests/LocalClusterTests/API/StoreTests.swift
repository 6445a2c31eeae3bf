import Foundation
import Kubernetes
import Logging
import ServiceKit
import Testing

@testable import LocalCluster

@Suite struct StoreTests {
    private let folder = TestFolder()

    private func open() throws -> ObjectStore {
        try ObjectStore(path: folder.path + "/state.sqlite", logger: Logger(label: "store") { _ in SwiftLogNoOpLogHandler() })
    }

    private func key(_ name: String, in namespace: String = "default") -> ObjectKey {
        ObjectKey(.configMaps, namespace: namespace, name: name)
    }

    private func make(_ store: ObjectStore, _ name: String, labels: [String: String] = [:], in namespace: String = "default") async throws
        -> Object
    {
        var object = Sample.configMap(name)
        object.labels = labels
        return try await store.create(object, as: key(name, in: namespace))
    }

    @Test func aRestartKeepsObjectsUidsAndVersions() async throws {
        let store = try open()
        let made = try await make(store, "a")
        _ = try await make(store, "b")
        _ = try await store.remove(key("b"))
        let version = await store.resourceVersion
        await store.close()
        let again = try open()
        #expect(try await again.get(key("a")) == made)
        #expect(try await again.get(key("b")) == nil)
        #expect(await again.resourceVersion == version)
        let next = try await make(again, "c")
        #expect(UInt64(next.resourceVersion ?? "") == UInt64(version).map { $0 + 1 })
        await again.close()
    }

    @Test func nobodyElseReadsTheState() async throws {
        let store = try open()
        _ = try await make(store, "a")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasPrefix("state.sqlite") {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
        await store.close()
    }

    @Test func aStateInUseIsNotOpenedTwice() async throws {
        let store = try open()
        #expect(throws: StateFileError.self) { try open() }
        await store.close()
    }

    @Test func versionsMoveOnlyWithChanges() async throws {
        let store = try open()
        let made = try await make(store, "a")
        let same = try await store.update(key("a")) { $0.labels = [:] }
        #expect(same.resourceVersion == made.resourceVersion)
        let changed = try await store.update(key("a")) { $0.labels = ["x": "1"] }
        #expect(changed.resourceVersion != made.resourceVersion)
        await #expect(throws: StatusError.self) {
            try await store.update(key("a")) { object in
                object.labels = ["x": "2"]
                throw StatusError.badRequest("no")
            }
        }
        #expect(try await store.get(key("a")) == changed)
        await #expect(throws: StatusError.self) { try await store.update(key("a"), uid: "another") { $0.labels = [:] } }
        #expect(try await store.remove(key("a"), uid: "another") == nil)
        #expect(try await store.get(key("a")) != nil)
    }

    @Test func whatIsKeptByFinalizersGoesWithTheLast() async throws {
        let store = try open()
        _ = try await make(store, "a")
        _ = try await store.update(key("a")) { $0.finalizers = ["x/y"] }
        let waiting = try await store.remove(key("a"))
        #expect(waiting?.deletionTimestamp != nil)
        #expect(try await store.get(key("a")) != nil)
        _ = try await store.update(key("a")) { $0.finalizers = [] }
        #expect(try await store.get(key("a")) == nil)
    }

    @Test func aWatchTellsTheStateAndThenEveryChange() async throws {
        let store = try open()
        let made = try await make(store, "a", labels: ["x": "1"])
        let watch = try await store.watch(.configMaps, namespace: "default", selector: Conditions(labels: ["x": "1"]), after: nil)
        _ = try await make(store, "b")
        _ = try await make(store, "c", labels: ["x": "1"], in: "other")
        _ = try await store.update(key("b")) { $0.labels = ["x": "1"] }
        _ = try await store.update(key("a")) { $0["data"] = ["k": "v"] }
        _ = try await store.update(key("a")) { $0.labels = [:] }
        _ = try await store.remove(key("b"))
        var told: [String] = []
        var last: Object?
        for try await change in watch {
            told.append("\(change.kind.rawValue) \(change.object.name)")
            last = change.object
            if told.count == 5 { break }
        }
        #expect(told == ["ADDED a", "ADDED b", "MODIFIED a", "DELETED a", "DELETED b"])
        #expect(last?.resourceVersion == (await store.resourceVersion))
        // From a version on, the same is told again.
        let again = try await store.watch(
            .configMaps, namespace: "default", selector: Conditions(labels: ["x": "1"]), after: made.resourceVersion)
        #expect(again.present.map { "\($0.kind.rawValue) \($0.object.name)" } == Array(told.dropFirst()))
    }

    @Test func forgottenAndFutureVersionsAreRefused() async throws {
        let store = try open()
        let made = try await make(store, "a")
        _ = try await make(store, "b")
        await store.compact(keeping: .seconds(-1))
        let gone = await #expect(throws: StatusError.self) { try await store.watch(.configMaps, after: made.resourceVersion) }
        #expect(gone?.code == 410)
        let future = await #expect(throws: StatusError.self) { try await store.watch(.configMaps, after: "999") }
        #expect(future?.code == 504)
        let latest = await store.resourceVersion
        #expect(try await store.watch(.configMaps, after: latest).present.isEmpty)
    }

    @Test func aReaderThatDoesNotReadIsSentAway() async throws {
        let store = try open()
        _ = try await make(store, "a")
        let watch = try await store.watch(.configMaps, after: await store.resourceVersion)
        for number in 0...WatchHub.unreadLimit + 1 { _ = try await store.update(key("a")) { $0["data"] = ["n": .string("\(number)")] } }
        #expect(await store.watcherCount == 0)
        let error = await #expect(throws: StatusError.self) { for try await _ in watch {} }
        #expect(error?.code == 410)
    }

    @Test func watchersThatLeftAreForgotten() async throws {
        let store = try open()
        let watch = try await store.watch(.configMaps, after: nil)
        #expect(await store.watcherCount == 1)
        let reader = Task { for try await _ in watch {} }
        reader.cancel()
        _ = await reader.result
        #expect(await store.watcherCount == 0)
    }

    @Test func pagesMakeTheWholeListInOrder() async throws {
        let store = try open()
        for number in 0..<25 { _ = try await make(store, String(format: "m%02d", number), in: number % 2 == 0 ? "a" : "a-b") }
        var names: [String] = []
        var token: String?
        var sizes: [Int] = []
        repeat {
            let page = try await store.list(.configMaps, limit: 10, continuing: token)
            names += page.items.map { "\($0.namespace ?? "")/\($0.name)" }
            sizes.append(page.items.count)
            token = page.next
        } while token != nil
        #expect(sizes == [10, 10, 5])
        #expect(names == names.sorted() && Set(names).count == 25)
        #expect(try await store.list(.configMaps, namespace: "a").items.count == 13)
        let error = await #expect(throws: StatusError.self) { try await store.list(.configMaps, limit: 1, continuing: "x") }
        #expect(error?.code == 400)
    }
}
