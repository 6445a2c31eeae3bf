import Foundation
import Logging
import NIOCore
import NIOFoundationCompat
import NIOPosix

/// A client of one API server, for Kubernetes 1.20 and later.
///
/// Short calls are bounded by `callTimeout`. Within it, 429 is waited out as `Retry-After` says, reads are repeated after a transport
/// failure, and a refused token is read again from its file; everything else is the caller's to decide (`KubernetesError.isTransient`).
/// Call `shutdown()` before letting go of it.
public final class KubernetesClient: Sendable {
    public let configuration: KubernetesConfiguration
    let transport: Transport
    let logger: Logger

    /// - Throws: `KubernetesError.configuration` for a URL, certificate or key that cannot be used. Nothing is sent yet.
    public init(
        _ configuration: KubernetesConfiguration, logger: Logger, eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws {
        self.configuration = configuration
        self.logger = logger
        transport = try Transport(configuration, group: eventLoopGroup)
    }

    /// Closes all connections; running calls and streams fail.
    public func shutdown() async throws { try await transport.shutdown() }

    /// Reads one object. `namespace` nil takes the configuration's.
    public func get<O>(_ kind: ResourceKind<O>, _ name: String, in namespace: String? = nil) async throws -> O {
        try await object(Call(path: path(kind, namespace, name: name)))
    }

    /// Reads one object; nil when there is none.
    public func find<O>(_ kind: ResourceKind<O>, _ name: String, in namespace: String? = nil) async throws -> O? {
        do { return try await get(kind, name, in: namespace) } catch let error as KubernetesError where error.isNotFound { return nil }
    }

    /// Reads a whole list in pages of `pageSize`; `namespace` nil means all namespaces.
    public func list<O>(
        _ kind: ResourceKind<O>, in namespace: String? = nil, labels: Selector? = nil, fields: Selector? = nil, pageSize: Int = 500
    ) async throws -> KubernetesList<O> {
        var items: [O] = []
        var token: String?
        var size = pageSize
        while true {
            var query = RequestPath.list(labels: labels, fields: fields)
            if size > 0 { query.append(("limit", String(size))) }
            if let token { query.append(("continue", token)) }
            let page: ListPage<O>
            do {
                page = try await object(Call(path: RequestPath.resource(kind, namespace: namespace, query: query)))
            } catch let error as KubernetesError where error.isGone && token != nil {
                // The pages outlived the history they were cut from: read it in one piece.
                (items, token, size) = ([], nil, 0)
                continue
            }
            let found = page.items ?? []
            items.append(contentsOf: found.compactMap(\.value))
            if found.contains(where: { $0.value == nil }) {
                logger.warning("a listed object could not be read", metadata: ["kind": "\(kind.kind)"])
            }
            if let next = page.metadata.continue, !next.isEmpty {
                token = next
            } else {
                return KubernetesList(items: items, resourceVersion: page.metadata.resourceVersion ?? "")
            }
        }
    }

    /// Creates an object; its name, or `generateName`, is in its metadata.
    /// - Parameter isDryRun: everything is done but keeping it, admission webhooks included; what is answered is what would stand.
    @discardableResult
    public func create<O>(_ kind: ResourceKind<O>, _ object: O, in namespace: String? = nil, isDryRun: Bool = false) async throws -> O {
        let path = path(kind, namespace) + (isDryRun ? "?dryRun=All" : "")
        return try await self.object(Call(method: "POST", path: path, body: try encode(kind, object)))
    }

    /// Replaces a whole object. With `metadata.resourceVersion` set it conflicts when the object changed meanwhile.
    @discardableResult
    public func replace<O>(_ kind: ResourceKind<O>, _ object: O, in namespace: String? = nil) async throws -> O {
        let name = object.metadata.name ?? ""
        return try await self.object(Call(method: "PUT", path: path(kind, namespace, name: name), body: try encode(kind, object)))
    }

    /// Changes parts of an object, or of its `status` and other subresources.
    @discardableResult
    public func patch<O>(
        _ kind: ResourceKind<O>, _ name: String, in namespace: String? = nil, subresource: String? = nil, _ patch: Patch
    ) async throws -> O {
        try await object(
            Call(
                method: "PATCH", path: path(kind, namespace, name: name, subresource: subresource),
                body: try KubernetesCoding.encoder().encode(patch.value), contentType: patch.contentType))
    }

    /// Deletes an object; when this returns it may still be terminating. Servers answer with the object or a Status: both are success.
    public func delete<O>(
        _ kind: ResourceKind<O>, _ name: String, in namespace: String? = nil, _ options: DeleteOptions = .init()
    ) async throws {
        _ = try await perform(
            Call(method: "DELETE", path: path(kind, namespace, name: name), body: try KubernetesCoding.encoder().encode(options.body)))
    }

    /// Any other path of the API, `/version` say.
    public func raw(_ path: String) async throws -> JSONValue { try await object(Call(path: path)) }

    func path<O>(_ kind: ResourceKind<O>, _ namespace: String?, name: String? = nil, subresource: String? = nil) -> String {
        RequestPath.resource(kind, namespace: namespace ?? configuration.namespace, name: name, subresource: subresource)
    }

    private func encode<O>(_ kind: ResourceKind<O>, _ object: O) throws -> Data {
        try KubernetesCoding.encoder().encode(Envelope(kind: kind, object: object))
    }

    private func object<T: Decodable>(_ call: Call) async throws -> T {
        try KubernetesCoding.decode(T.self, from: Data(buffer: try await perform(call)))
    }

    /// Performs a short call within its bound.
    private func perform(_ call: Call) async throws -> ByteBuffer {
        let limit = configuration.callTimeout
        return try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            group.addTask { try await self.attempts(call) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw KubernetesError.unavailable(reason: "no answer within \(limit)", mayHaveRun: call.method != "GET")
            }
            defer { group.cancelAll() }
            guard let body = try await group.next() else { throw CancellationError() }
            return body
        }
    }

    private func attempts(_ call: Call) async throws -> ByteBuffer {
        var retry = RetryPolicy(isRead: call.method == "GET")
        while true {
            let token = transport.tokens.token()
            do {
                let answer = try await transport.send(call, token: token)
                if (200..<300).contains(answer.status) { return answer.body }
                let status = Transport.status(code: answer.status, headers: answer.headers, body: answer.body)
                if answer.status == 401, retry.mayRefreshToken(), transport.tokens.refused(token) { continue }
                throw KubernetesError.api(status)
            } catch {
                let error = Transport.translate(error)
                guard let pause = retry.pause(after: error) else { throw error }
                try await Task.sleep(for: pause)
            }
        }
    }
}
