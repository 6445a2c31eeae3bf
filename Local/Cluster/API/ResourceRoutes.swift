import Foundation
import Hummingbird
import Kubernetes
import ServiceKit

/// The paths below `/api` and `/apis`: what a request means, which verb it is, and its answer.
struct ResourceRoutes: Sendable {
    /// Open watches of all clients together.
    static let watchLimit = 1000
    static let patchTypes = [
        "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
    ]

    let objects: ObjectAPI
    let discovery: Discovery
    let connections: (any PodConnections)?
    let faults: FaultInjector

    private var kinds: KindRegistry { objects.kinds }

    func register(on router: PlatformRouter) {
        router.get("/api", access: .principal) { request, _ in discovery.core(accept: request.headers[.accept]) }
        router.get("/apis", access: .principal) { request, _ in discovery.groups(accept: request.headers[.accept]) }
        for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete] {
            router.on(method, "/api/{path...}", access: .principal, bodyLimit: BodyReader.limit) { request, context in
                try await respond(to: request, context, at: RequestTarget(core: context.parameter("path")))
            }
            router.on(method, "/apis/{path...}", access: .principal, bodyLimit: BodyReader.limit) { request, context in
                try await respond(to: request, context, at: RequestTarget(grouped: context.parameter("path")))
            }
        }
    }

    private func respond(to request: Request, _ context: PlatformContext, at target: RequestTarget) async throws -> Response {
        switch target {
        case .group(let name):
            guard request.method == .get || request.method == .head else { throw StatusError.methodNotAllowed() }
            return try discovery.group(name)
        case .version(let group, let version):
            guard request.method == .get || request.method == .head else { throw StatusError.methodNotAllowed() }
            return try discovery.resources(group: group, version: version)
        case .resource(let path):
            try await faults.before(request, context: context)
            if let answer = try await Reviews.answer(path, request: request, context: context) { return answer }
            guard let kind = kinds.find(group: path.group, version: path.version, plural: path.plural) else {
                throw StatusError.unknownResource()
            }
            return try await respond(to: request, context, kind: kind, path: path)
        }
    }

    private func respond(
        to request: Request, _ context: PlatformContext, kind: ResourceKind, path: ResourcePath
    ) async throws -> Response {
        guard let name = path.name else { return try await collection(request, context, kind: kind, namespace: path.namespace) }
        // An object of a namespace is reached through it, one of the cluster is not.
        guard kind.isNamespaced == (path.namespace != nil) else { throw StatusError.unknownResource() }
        let key = ObjectKey(kind, namespace: path.namespace, name: name)
        let call = ObjectCall(request: request, context: context, key: key, form: try AnswerForm(request.headers[.accept]))
        guard let part = path.subresource else { return try await object(call) }
        guard kind.has(part) else { throw StatusError.unknownResource() }
        return try await subresource(part, call)
    }

    // MARK: Collections

    private func collection(
        _ request: Request, _ context: PlatformContext, kind: ResourceKind, namespace: String?
    ) async throws -> Response {
        guard kind.isNamespaced || namespace == nil else { throw StatusError.unknownResource() }
        let form = try AnswerForm(request.headers[.accept])
        switch request.method {
        case .get, .head:
            let options = try ListOptions(context.query, kind: kind)
            if options.isWatch {
                return try await watch(request, context, kind: kind, namespace: namespace, options: options, form: form)
            }
            let page = try await objects.store.list(
                kind.kept, namespace: namespace, selector: kind.stored(options.selector), limit: options.limit,
                continuing: options.token)
            return Answer.list(
                page, kind: kind, form: form, includeObject: context.query.first("includeObject"), repeatsKind: kinds.isCustom(kind))
        case .post:
            guard kind.isNamespaced == (namespace != nil) else { throw StatusError.methodNotAllowed() }
            let options = try ChangeOptions(context.query)
            let given = try await body(request, options: options, kind: kind)
            let made = try await objects.create(kind.stored(given), kind: kind, namespace: namespace, options: options)
            return Answer.object(made, kind: kind, form: form, includeObject: context.query.first("includeObject"), status: .created)
        case .delete:
            let options = try ListOptions(context.query, kind: kind)
            let deletion = try DeletionOptions(context.query, body: try await BodyReader.read(request)?.value)
            let page = try await objects.deleteAll(kind, namespace: namespace, selector: options.selector, options: deletion)
            return Answer.list(
                page, kind: kind, form: form, includeObject: context.query.first("includeObject"), repeatsKind: kinds.isCustom(kind))
        default: throw StatusError.methodNotAllowed()
        }
    }

    private func watch(
        _ request: Request, _ context: PlatformContext, kind: ResourceKind, namespace: String?, options: ListOptions, form: AnswerForm
    ) async throws -> Response {
        guard await objects.store.watcherCount < ResourceRoutes.watchLimit else {
            throw StatusError(
                429, "TooManyRequests", "too many open watches, at most \(ResourceRoutes.watchLimit)", retryAfter: 1)
        }
        let isFromNow = options.sendsPresent || options.resourceVersion == nil || options.resourceVersion == "0"
        do {
            let sequence = try await objects.store.watch(
                kind.kept, namespace: namespace, selector: kind.stored(options.selector),
                after: isFromNow ? nil : options.resourceVersion, bookmarks: options.bookmarks,
                marksPresent: options.sendsPresent && options.bookmarks)
            let timeout = min(options.timeout ?? .seconds(.random(in: 1800...3600)), .seconds(3600))
            return WatchResponse(
                sequence: sequence, kind: kind, form: form, includeObject: context.query.first("includeObject"), timeout: timeout,
                faults: faults
            ).response(to: request, context: context)
        } catch let error as StatusError where error.code == 410 {
            return WatchResponse.refused(error)
        }
    }

    // MARK: Objects

    private func object(_ call: ObjectCall) async throws -> Response {
        let key = call.kept
        switch call.request.method {
        case .get, .head:
            if try call.query.bool("watch") == true {
                // As of old: a watch of one object by its path.
                var options = try ListOptions(call.query, kind: call.kind)
                options.selector = Selector(fields: ["metadata.name": call.key.name])
                return try await watch(
                    call.request, call.context, kind: call.kind, namespace: call.key.namespace, options: options, form: call.form)
            }
            return call.answer(try await objects.get(key))
        case .put: return try await replace(call, part: nil)
        case .patch: return try await patch(call, part: nil)
        case .delete:
            let options = try DeletionOptions(call.query, body: try await BodyReader.read(call.request)?.value)
            switch try await objects.delete(key, options: options) {
            case .begun(let object): return call.answer(object)
            case .done(let object) where ResourceRoutes.showsDeleted.contains(key.kind.storage): return call.answer(object)
            case .done(let object): return Answer.success(call.key, uid: object.uid)
            }
        default: throw StatusError.methodNotAllowed()
        }
    }

    /// Kinds whose deletion is answered with the object rather than a Status.
    private static let showsDeleted: Set = [
        "pods", "services", "persistentvolumes", "persistentvolumeclaims", "serviceaccounts", "podtemplates", "resourcequotas",
    ]

    private func replace(_ call: ObjectCall, part: String?) async throws -> Response {
        let options = try ChangeOptions(call.query)
        let given = call.kind.stored(try await body(call.request, options: options, kind: call.kind))
        do {
            return call.answer(try await objects.update(call.kept, part: part, options: options) { _ in given })
        } catch let error as StatusError
            where error.code == 404 && part == nil && ResourceRoutes.madeByUpdate.contains(call.kept.kind.storage)
        {
            guard given.resourceVersion == nil else { throw error }
            let made = try await objects.create(given, kind: call.kind, namespace: call.key.namespace, options: options)
            return call.answer(made, status: .created)
        }
    }

    /// Kinds that an update makes when there is none.
    private static let madeByUpdate: Set = ["endpoints", "events", "leases.coordination.k8s.io", "limitranges", "services"]

    private func patch(_ call: ObjectCall, part: String?) async throws -> Response {
        let type = BodyReader.mediaType(call.request)
        let isCustom = kinds.isCustom(call.kind)
        let types = isCustom ? ResourceRoutes.patchTypes.filter { !$0.contains("strategic") } : ResourceRoutes.patchTypes
        guard types.contains(type), let body = try await BodyReader.read(call.request, accepting: types) else {
            throw types.contains(type) ? StatusError.badRequest("a patch needs a body") : .unsupportedMediaType(accepted: types)
        }
        let options = try ChangeOptions(call.query)
        let patch = body.value
        switch type {
        case "application/apply-patch+yaml": return try await apply(patch, call, part: part, options: options)
        case "application/json-patch+json":
            return call.answer(
                try await objects.update(call.kept, part: part, options: options) { try JSONPatch.apply(patch, to: $0) })
        case "application/merge-patch+json":
            return call.answer(
                try await objects.update(call.kept, part: part, options: options) { MergePatch.apply(patch, to: $0) })
        default:
            return call.answer(
                try await objects.update(call.kept, part: part, options: options) { try StrategicMergePatch.apply(patch, to: $0) })
        }
    }

    private func apply(_ configuration: Object, _ call: ObjectCall, part: String?, options: ChangeOptions) async throws -> Response {
        guard let manager = options.fieldManager else {
            let fault = FieldFault.required("fieldManager", "is required for apply patch")
            throw StatusError(422, "Invalid", "PatchOptions.meta.k8s.io \"\" is invalid: \(fault)", details: ["causes": [fault.cause]])
        }
        guard configuration.metadata["managedFields"] == nil else { throw StatusError.badRequest("metadata.managedFields must be nil") }
        try ObjectForm.check(configuration, kind: call.kind, namespace: call.key.namespace, name: call.key.name)
        let apply = ServerSideApply.Request(
            configuration: configuration, manager: manager, force: options.force, now: objects.clock(), subresource: part ?? "")
        let key = call.kept
        do {
            let object = try await objects.update(key, part: part, options: options) { try ServerSideApply.apply(apply, to: $0, key: key) }
            return call.answer(object)
        } catch let error as StatusError where error.code == 404 && part == nil {
            var object = configuration
            object.name = call.key.name
            object[path: "metadata", "managedFields"] = ServerSideApply.managedFields(apply, kind: call.kind)
            return call.answer(
                try await objects.create(object, kind: call.kind, namespace: call.key.namespace, options: options), status: .created)
        }
    }

    // MARK: Parts of objects

    private func subresource(_ part: String, _ call: ObjectCall) async throws -> Response {
        switch (part, call.request.method) {
        case ("status", .get), ("status", .head): return call.answer(try await objects.get(call.kept))
        case ("status", .put), ("finalize", .put), ("resize", .put), ("ephemeralcontainers", .put):
            return try await replace(call, part: part)
        case ("status", .patch), ("resize", .patch), ("ephemeralcontainers", .patch): return try await patch(call, part: part)
        case ("binding", .post):
            try await objects.bind(call.key, to: try await required(call.request)["target"]?["name"]?.string ?? "")
            return Answer.success(call.key, status: .created)
        case ("eviction", .post):
            let options = try DeletionOptions(call.query, body: try await required(call.request)["deleteOptions"])
            _ = try await objects.delete(call.key, options: options)
            return Answer.success(call.key, status: .created)
        default:
            guard let stream = PodStreamKind(rawValue: part), call.kind == .pods else { throw StatusError.methodNotAllowed() }
            let pod = try await objects.get(call.key)
            guard let connections else { throw StatusError(501, "NotImplemented", "this cluster has no \(part) of pods") }
            return try await connections.respond(to: stream, of: pod, request: call.request, context: call.context)
        }
    }

    private func required(_ request: Request) async throws -> JSONValue {
        guard let content = try await BodyReader.read(request) else { throw StatusError.badRequest("the request needs a body") }
        return content.value
    }

    private func body(_ request: Request, options: ChangeOptions, kind: ResourceKind) async throws -> Object {
        guard let content = try await BodyReader.read(request) else {
            throw StatusError.badRequest("the body of the request is empty; a \(kind.kind) was expected")
        }
        if options.fieldValidation == .strict {
            try FieldCheck.refuse(content.duplicates, FieldCheck.unknown(in: content.value, kind: kind), kind: kind)
        }
        return content.value
    }
}

/// A request for one object.
struct ObjectCall: Sendable {
    let request: Request
    let context: PlatformContext
    let key: ObjectKey
    let form: AnswerForm

    var kind: ResourceKind { key.kind }
    var query: QueryItems { context.query }
    /// Where the store has it.
    var kept: ObjectKey { ObjectKey(kind.kept, namespace: key.namespace, name: key.name) }

    func answer(_ object: Object, status: HTTPResponse.Status = .ok) -> Response {
        Answer.object(object, kind: kind, form: form, includeObject: query.first("includeObject"), status: status)
    }
}
