import Foundation
import Hummingbird
import Kubernetes
import NIOCore
import ServiceKit
import Synchronization

/// A fault that a test asks for.
struct FaultRule: Sendable {
    enum Action: Sendable, Equatable {
        /// The connection is cut without an answer; an open watch in the middle.
        case drop
        /// The answer is a refusal.
        case status(Int)
        /// The request waits before it is served.
        case delay(Duration)
    }

    /// Nil matches any.
    var method: String?
    /// The beginning of a path, or a pattern with `*`; nil matches any.
    var path: String?
    /// `watch`, `list`, `get`, `create`, `update`, `patch`, `delete`, `deletecollection`; nil matches any.
    var verb: String?
    var action: Action
    /// How often it still happens; nil is always.
    var count: Int?

    func matches(_ request: FaultInjector.Subject) -> Bool {
        if let method, method.uppercased() != request.method { return false }
        if let verb, verb != request.verb { return false }
        guard let path else { return true }
        return path.contains("*") ? FaultRule.matches(path[...], request.path[...]) : request.path.hasPrefix(path)
    }

    private static func matches(_ pattern: Substring, _ text: Substring) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return pattern == text }
        let head = pattern[..<star]
        guard text.hasPrefix(head) else { return false }
        let tail = pattern[pattern.index(after: star)...]
        var rest = text.dropFirst(head.count)
        while true {
            if matches(tail, rest) { return true }
            guard !rest.isEmpty else { return false }
            rest = rest.dropFirst()
        }
    }

    /// - Throws: ``StatusError`` 400.
    init(_ value: JSONValue) throws {
        let match = value["match"] ?? .object([:])
        method = match["method"]?.string
        path = match["path"]?.string
        verb = match["verb"]?.string
        count = value["count"]?.integer.map { Int($0) }
        switch value["action"] {
        case "drop": action = .drop
        case "delay":
            guard let seconds = value["seconds"].flatMap(Quantities.value), (0...60).contains(seconds) else {
                throw StatusError.badRequest("a fault of delay needs seconds, at most 60")
            }
            action = .delay(.milliseconds(Int(seconds * 1000)))
        case "status":
            guard let code = value["status"]?.integer, [410, 429, 500, 503].contains(code) else {
                throw StatusError.badRequest("a fault of status needs status: 410, 429, 500 or 503")
            }
            action = .status(Int(code))
        default: throw StatusError.badRequest("action: expected drop, delay or status")
        }
    }

    var value: JSONValue {
        var match = JSONValue.object([:])
        for (name, text) in [("method", method), ("path", path), ("verb", verb)] { if let text { match[name] = .string(text) } }
        var value: JSONValue = ["match": match]
        switch action {
        case .drop: value["action"] = "drop"
        case .status(let code):
            value["action"] = "status"
            value["status"] = .integer(Int64(code))
        case .delay(let time):
            value["action"] = "delay"
            value["seconds"] = .number(Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18)
        }
        if let count { value["count"] = .integer(Int64(count)) }
        return value
    }
}

/// Breaks requests as its rules say. Without rules, and that is always so unless the setting allows them, it does nothing.
final class FaultInjector: Sendable {
    /// What of a request the rules look at.
    struct Subject: Sendable {
        let method: String
        let path: String
        let verb: String
    }

    private struct Watch {
        let subject: Subject
        let end: @Sendable () -> Void
        let channel: any Channel
    }

    private struct State {
        var rules: [FaultRule] = []
        var watches: [UUID: Watch] = [:]
    }

    let isAllowed: Bool
    private let state = Mutex(State())

    init(isAllowed: Bool) { self.isAllowed = isAllowed }

    var rules: [FaultRule] { state.withLock(\.rules) }

    /// Takes new rules in place of the old. One that drops watches cuts those that are open too.
    func set(_ rules: [FaultRule]) {
        let cut = state.withLock { state -> [Watch] in
            state.rules = rules
            var cut: [Watch] = []
            for (id, watch) in state.watches {
                guard FaultInjector.take(&state.rules, for: watch.subject, where: { $0 == .drop }) != nil else { continue }
                cut.append(watch)
                state.watches[id] = nil
            }
            return cut
        }
        for watch in cut { watch.channel.close(promise: nil) }
    }

    /// Cuts every open watch, once.
    /// - Returns: how many.
    func cutWatches() -> Int {
        let cut = state.withLock { state in
            defer { state.watches = [:] }
            return Array(state.watches.values)
        }
        for watch in cut { watch.channel.close(promise: nil) }
        return cut.count
    }

    /// Does to a request what the rules say, before it is served.
    /// - Throws: ``StatusError`` for a refusal; `CancellationError` when the connection was cut.
    func before(_ request: Request, context: PlatformContext) async throws {
        guard isAllowed else { return }
        let subject = FaultInjector.subject(request, query: context.query)
        while let action = state.withLock({ FaultInjector.take(&$0.rules, for: subject) }) {
            switch action {
            case .drop:
                context.channel.close(promise: nil)
                throw CancellationError()
            case .delay(let time): try await Task.sleep(for: time)
            case .status(let code): throw FaultInjector.refusal(code)
            }
            // A delayed request meets the other rules, but not the same one again.
            return
        }
    }

    private static func refusal(_ code: Int) -> StatusError {
        switch code {
        case 410: .gone("too old resource version: injected")
        case 429: StatusError(429, "TooManyRequests", "too many requests, please try again later: injected", retryAfter: 1)
        case 503: StatusError(503, "ServiceUnavailable", "injected", retryAfter: 1)
        default: .internalError("injected")
        }
    }

    private static func take(
        _ rules: inout [FaultRule], for subject: Subject, where isMeant: (FaultRule.Action) -> Bool = { _ in true }
    ) -> FaultRule.Action? {
        guard let index = rules.firstIndex(where: { ($0.count ?? 1) > 0 && $0.matches(subject) && isMeant($0.action) }) else { return nil }
        if let count = rules[index].count { rules[index].count = count - 1 }
        return rules[index].action
    }

    private static func subject(_ request: Request, query: QueryItems) -> Subject {
        let path = request.uri.path
        let target =
            try? path.hasPrefix("/apis/")
            ? RequestTarget(grouped: String(path.dropFirst(6))) : RequestTarget(core: String(path.dropFirst(5)))
        var isOne = false
        if case .resource(let resource)? = target { isOne = resource.name != nil }
        let verb =
            switch request.method {
            case .get, .head: ["true", "1"].contains(query.first("watch")) ? "watch" : isOne ? "get" : "list"
            case .post: "create"
            case .put: "update"
            case .patch: "patch"
            case .delete: isOne ? "delete" : "deletecollection"
            default: ""
            }
        return Subject(method: request.method.rawValue, path: path, verb: verb)
    }

    // MARK: Open watches

    /// Remembers an open watch, so that a rule can cut it.
    func opened(_ request: Request, end: @escaping @Sendable () -> Void, channel: any Channel) -> UUID? {
        guard isAllowed else { return nil }
        let id = UUID()
        let subject = Subject(method: request.method.rawValue, path: request.uri.path, verb: "watch")
        state.withLock { $0.watches[id] = Watch(subject: subject, end: end, channel: channel) }
        return id
    }

    func closed(_ id: UUID?) {
        guard let id else { return }
        state.withLock { $0.watches[id] = nil }
    }
}

/// The paths by which tests ask for faults; only where the setting allows them.
struct FaultRoutes: Sendable {
    let injector: FaultInjector
    let objects: ObjectAPI
    let agent: (any NodeAgent)?

    func register(on router: PlatformRouter) {
        guard injector.isAllowed else { return }
        router.get("/faults", access: .principal) { _, _ in Answer.json(["rules": .array(injector.rules.map(\.value))]) }
        router.put("/faults", access: .principal) { request, _ in
            let body = try await BodyReader.read(request)?.value
            injector.set(try (body?["rules"]?.array ?? body?.array ?? []).map(FaultRule.init))
            return Answer.json(["rules": .array(injector.rules.map(\.value))])
        }
        router.delete("/faults", access: .principal) { _, _ in
            injector.set([])
            return Answer.json(["rules": []])
        }
        router.post("/faults/compact", access: .principal) { _, _ in
            await objects.store.compact(keeping: .seconds(-1))
            return Answer.json(["resourceVersion": .string(await objects.store.resourceVersion)])
        }
        router.post("/faults/cut-watches", access: .principal) { _, _ in
            Answer.json(["cut": .integer(Int64(injector.cutWatches()))])
        }
        router.post("/faults/lose-pod", access: .principal) { request, _ in
            let body = try await BodyReader.read(request)?.value
            guard let how = PodLoss(rawValue: body?["how"]?.string ?? ""), let name = body?["name"]?.string else {
                throw StatusError.badRequest("expected namespace, name and how: containers or object")
            }
            let pod = try await objects.get(ObjectKey(.pods, namespace: body?["namespace"]?.string ?? "default", name: name))
            guard let agent else { throw StatusError(501, "NotImplemented", "this cluster runs no pods") }
            try await agent.lose(pod, how: how)
            return Answer.json(["status": "Success"])
        }
    }
}
