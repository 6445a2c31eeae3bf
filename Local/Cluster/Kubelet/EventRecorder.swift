import Foundation
import Kubernetes
import Logging

/// Writes Events, in order; one that repeats counts up.
actor EventRecorder {
    struct Entry: Sendable {
        let object: Object
        let kind: ResourceKind
        let type: String
        let reason: String
        let message: String
        /// `spec.containers{name}`
        let field: String?
        let component: String
        let time: Date
    }
    private struct Known {
        let key: ObjectKey
        var used: Date
    }
    private let store: ObjectStore
    private let node: String
    private let logger: Logger
    private let entries: AsyncStream<Entry>
    private let input: AsyncStream<Entry>.Continuation
    private var known: [String: Known] = [:]
    private static let knownLimit = 4096
    /// How long events are kept.
    static let lifetime: TimeInterval = 3600

    init(store: ObjectStore, node: String, logger: Logger) {
        self.store = store
        self.node = node
        self.logger = logger
        (entries, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4096))
    }

    nonisolated func record(
        _ object: Object, kind: ResourceKind = .pods, type: String = "Normal", _ reason: String, _ message: String,
        field: String? = nil, component: String = "kubelet"
    ) {
        input.yield(
            Entry(
                object: object, kind: kind, type: type, reason: reason, message: message, field: field, component: component, time: Date()))
    }

    /// Until it is closed; what was recorded before is written.
    func run() async {
        for await entry in entries { await write(entry) }
    }

    nonisolated func close() { input.finish() }

    private func write(_ entry: Entry) async {
        let identity = [
            entry.object.uid, entry.type, entry.reason, entry.message, entry.field ?? "", entry.component,
        ].joined(separator: "\u{0}")
        let time = KubernetesTime.format(entry.time)
        do {
            if let before = known[identity] {
                do {
                    try await store.update(before.key) { event in
                        event["count"] = .integer((event["count"]?.integer ?? 1) + 1)
                        event["lastTimestamp"] = .string(time)
                    }
                    known[identity]?.used = entry.time
                    return
                } catch let error as StatusError where error.code == 404 {
                    known[identity] = nil
                }
            }
            let suffix = String(UInt64(entry.time.timeIntervalSince1970 * 1_000_000_000) &+ UInt64.random(in: 0..<1000), radix: 16)
            let key = ObjectKey(.events, namespace: entry.object.namespace ?? "default", name: "\(entry.object.name).\(suffix)")
            try await store.create(event(entry, time: time), as: key)
            if known.count >= Self.knownLimit {
                let old = known.sorted { $0.value.used < $1.value.used }.prefix(Self.knownLimit / 4).map(\.key)
                for identity in old { known[identity] = nil }
            }
            known[identity] = Known(key: key, used: entry.time)
        } catch {
            logger.warning("an event could not be written", metadata: ["reason": "\(entry.reason)", "error": "\(error)"])
        }
    }

    private func event(_ entry: Entry, time: String) -> Object {
        var involved: JSONValue = [
            "kind": .string(entry.kind.kind), "apiVersion": .string(entry.kind.apiVersion), "name": .string(entry.object.name),
            "uid": .string(entry.object.uid),
        ]
        if let namespace = entry.object.namespace { involved["namespace"] = .string(namespace) }
        if let version = entry.object.resourceVersion { involved["resourceVersion"] = .string(version) }
        if let field = entry.field { involved["fieldPath"] = .string(field) }
        var source: JSONValue = ["component": .string(entry.component)]
        if entry.component == "kubelet" { source["host"] = .string(node) }
        return [
            "involvedObject": involved, "reason": .string(entry.reason), "message": .string(entry.message), "type": .string(entry.type),
            "source": source, "firstTimestamp": .string(time), "lastTimestamp": .string(time), "count": 1, "eventTime": .null,
            "reportingComponent": .string(entry.component), "reportingInstance": .string(entry.component == "kubelet" ? node : ""),
        ]
    }

    /// Removes the events that are older than an hour.
    func expire(now: Date = Date()) async throws {
        for event in try await store.list(.events).items {
            let text = event["lastTimestamp"]?.string ?? event["eventTime"]?.string ?? event[path: "metadata", "creationTimestamp"]?.string
            guard let time = text.flatMap({ KubernetesTime.parse($0) }), now.timeIntervalSince(time) > Self.lifetime else { continue }
            try await store.remove(ObjectKey(.events, event), uid: event.uid)
        }
    }
}
