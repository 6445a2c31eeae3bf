import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOFoundationCompat

extension KubernetesClient {
    /// Lists, then follows changes for as long as it is iterated: drops are resumed from the last seen version, a lost history (410) is
    /// listed anew, and a server that is away is asked again with back-off. It ends only when the task is cancelled, and never throws.
    /// - Parameter namespace: nil means all namespaces.
    public func watch<O>(
        _ kind: ResourceKind<O>, in namespace: String? = nil, labels: Selector? = nil, fields: Selector? = nil
    ) -> Watch<O> {
        Watch(client: self, kind: kind, namespace: namespace, labels: labels, fields: fields)
    }
}

/// The sequence of `KubernetesClient.watch`. Each iterator is a watch of its own; nothing runs between calls of `next()`.
public struct Watch<Object: KubernetesResource>: AsyncSequence, Sendable {
    public typealias Element = WatchEvent<Object>
    public typealias Failure = Never
    let client: KubernetesClient
    let kind: ResourceKind<Object>
    let namespace: String?
    let labels: Selector?
    let fields: Selector?

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(watch: self) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let watch: Watch
        private var machine = WatchMachine()
        private var stream: LineReader<HTTPClientResponse.Body>?
        private var openedAt = ContinuousClock.now
        private var action: WatchMachine.Action = .list

        init(watch: Watch) { self.watch = watch }

        public mutating func next() async -> WatchEvent<Object>? {
            while !Task.isCancelled {
                do {
                    if let event = try await step() { return event }
                } catch {
                    stream = nil
                    if Task.isCancelled { return nil }
                    fail(error)
                }
            }
            return nil
        }

        /// One action, or one line of the open stream.
        private mutating func step() async throws -> WatchEvent<Object>? {
            if stream != nil { return try await readLine() }
            switch action {
            case .wait(let pause):
                try await Task.sleep(for: pause)
                action = machine.next()
            case .list:
                let list = try await watch.client.list(
                    watch.kind, in: watch.namespace, labels: watch.labels, fields: watch.fields)
                machine.listed(list.resourceVersion)
                action = machine.next()
                return .listed(list.items)
            case .watch(let version):
                openedAt = .now
                stream = try await watch.open(from: version)
            }
            return nil
        }

        private mutating func readLine() async throws -> WatchEvent<Object>? {
            guard let line = try await stream?.next() else {
                stream = nil
                action = machine.ended(after: openedAt.duration(to: .now), jitter: .random(in: 0...1))
                return nil
            }
            guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) else { return nil }
            switch try KubernetesCoding.decode(WatchLine<Object>.self, from: Data(line)).content {
            case .event(let event, let version):
                machine.received(version)
                return event
            case .bookmark(let version): machine.received(version)
            case .unreadable(let version):
                watch.client.logger.warning("a watched object could not be read", metadata: ["kind": "\(watch.kind.kind)"])
                machine.received(version)
            case .error(let status): throw KubernetesError.api(status)
            }
            return nil
        }

        private mutating func fail(_ error: any Error) {
            let kubernetes = error as? KubernetesError
            let metadata: Logger.Metadata = ["kind": "\(watch.kind.kind)", "error": "\(error)"]
            if kubernetes?.isGone == true {
                watch.client.logger.info("the history of a watch is gone, listing anew", metadata: metadata)
                action = machine.expired(jitter: .random(in: 0...1))
                return
            }
            watch.client.logger.log(level: machine.failures == 0 ? .info : .warning, "a watch was interrupted", metadata: metadata)
            let asked = kubernetes?.status?.details?.retryAfterSeconds ?? 0
            action = machine.failed(atLeast: .seconds(asked), jitter: .random(in: 0...1))
        }
    }

    private func open(from version: String) async throws -> LineReader<HTTPClientResponse.Body> {
        var query = RequestPath.list(labels: labels, fields: fields)
        // Spread, so that the watches of many replicas do not end together.
        let lifetime = Double(client.configuration.watchLifetime.components.seconds) * .random(in: 0.8...1)
        query += [
            ("watch", "1"), ("allowWatchBookmarks", "true"), ("resourceVersion", version),
            ("timeoutSeconds", String(Swift.max(1, Int(lifetime)))),
        ]
        let response = try await client.transport.open(Call(path: RequestPath.resource(kind, namespace: namespace, query: query)))
        return LineReader(response.body)
    }
}
