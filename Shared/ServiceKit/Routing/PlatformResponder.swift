import HTTPTypes
import Hummingbird
import Logging
import Metrics
import NIOHTTP1

/// Serves one request: finds the route, reads the caller, runs the handler within its limits, and turns whatever it throws into the
/// service's kind of answer.
struct PlatformResponder: HTTPResponder {
    typealias Context = PlatformContext

    let service: String
    let version: String
    let tree: RouteTree<PlatformRouter.Route>
    let crossOrigin: CrossOrigin?
    let authenticator: (any Authenticator)?
    let renderer: any ErrorRenderer
    let record: RequestRecord

    func respond(to request: Request, context: PlatformContext) async throws -> Response {
        let start = ContinuousClock.now
        var request = request
        var context = context
        context.requestID = RequestIDs.id(for: request)
        context.trace = TraceHeaders(request.headers, requestID: context.requestID)
        context.logger[metadataKey: "hb.request.id"] = nil
        context.logger[metadataKey: "request_id"] = "\(context.requestID)"
        let body = MonitoredBody.State(channel: request.headers[.expect] == nil ? nil : context.channel)
        let hasBody = request.headers[.transferEncoding] != nil || (request.headers[.contentLength].map { $0 != "0" } ?? false)
        var response: Response
        do {
            response = try await TraceHeaders.$current.withValue(context.trace) {
                try await serve(&request, &context, body: hasBody ? body : nil)
            }
        } catch let error as HTTPParserError {
            throw error  // The channel answers 400 and closes: what follows on the connection cannot be understood.
        } catch {
            response = answer(error, request: request, context: context)
        }
        if let crossOrigin, crossOrigin.covers(request.uri.path) { crossOrigin.mark(&response, to: request) }
        response.headers[.serviceVersion] = version
        response.headers[.requestID] = context.requestID
        if hasBody, response.status.code >= 400, !body.finished.load(ordering: .relaxed) { response.headers[.connection] = "close" }
        if request.method == .head { response = Self.withoutBody(response) }
        return record.finish(response, request: request, context: context, start: start)
    }

    /// What HEAD is answered. A length that GET would not tell is not told either: 0 would be a lie.
    private static func withoutBody(_ response: Response) -> Response {
        guard response.body.contentLength == nil, response.headers[.contentLength] == nil else { return response.createHeadResponse() }
        return Response(status: response.status, headers: response.headers, body: ResponseBody { try await $0.finish(nil) })
    }

    private func serve(_ request: inout Request, _ context: inout PlatformContext, body: MonitoredBody.State?) async throws -> Response {
        let matches = tree.matches(request.uri.path[...])
        guard !matches.isEmpty else { throw PlatformError.notFound() }
        let method = request.method.rawValue
        guard let (route, match) = find(method, in: matches) ?? (method == "HEAD" ? find("GET", in: matches) : nil) else {
            if request.method == .options, let crossOrigin, crossOrigin.covers(request.uri.path) {
                return crossOrigin.preflight(request, methods: methods(matches))
            }
            throw methodNotAllowed(matches)
        }
        context.route = route.description.path
        context.coreContext.endpointPath.value = context.route
        context.query = try QueryItems(request.uri.query)
        context.pathParameters = try PathParameters.decode(match.captures, template: route.template)
        context.caller = try await caller(request, route.description.access, logger: context.logger)
        context.bodyLimit = route.bodyLimit
        if let body {
            if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > route.bodyLimit {
                throw PlatformError(.contentTooLarge, "The body is larger than the \(route.bodyLimit) bytes that this route accepts.")
            }
            request.body = RequestBody(asyncSequence: MonitoredBody(base: request.body, limit: route.bodyLimit, state: body))
        }
        do {
            if route.isBrief {
                return try await withTimeout(route.timeout) { [request, context] in try await route.handler(request, context) }
            }
            // The connection's task runs on its event loop, which a long computation must not hold; neither must the writing of a stream.
            var response = try await withTimeout(route.timeout, on: globalConcurrentExecutor) { [request, context] in
                try await route.handler(request, context)
            }
            if response.body.contentLength == nil {
                let body = response.body
                response.body = ResponseBody { writer in
                    try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body.write(writer) }
                }
            }
            return response
        } catch let error as TimeoutError where error.limit == route.timeout {
            context.logger.error("A request took too long", metadata: ["limit": "\(error.limit)"])
            throw PlatformError.unavailable("The request took longer than \(error.limit.components.seconds) s; try again.")
        }
    }

    private func find(
        _ method: String, in matches: [RouteTree<PlatformRouter.Route>.Match]
    ) -> (PlatformRouter.Route, RouteTree<PlatformRouter.Route>.Match)? {
        for match in matches {
            if let route = match.values[method] { return (route, match) }
        }
        return nil
    }

    private func methods(_ matches: [RouteTree<PlatformRouter.Route>.Match]) -> Set<String> {
        let methods = Set(matches.flatMap(\.values.keys))
        return methods.contains("GET") ? methods.union(["HEAD"]) : methods
    }

    private func methodNotAllowed(_ matches: [RouteTree<PlatformRouter.Route>.Match]) -> PlatformError {
        let allow = methods(matches).sorted().joined(separator: ", ")
        return PlatformError(.methodNotAllowed, "Method Not Allowed; this path answers \(allow).", headers: [.allow: allow])
    }

    private func caller(_ request: Request, _ access: Access, logger: Logger) async throws -> Caller? {
        guard access != .anyone, let authenticator else { return nil }
        switch access {
        case .anyone: return nil
        case .principal:
            guard let caller = try await authenticator.caller(request, logger: logger) else { throw PlatformError.unauthorized() }
            return caller
        case .optionalPrincipal:
            do {
                return try await authenticator.caller(request, logger: logger)
            } catch let error as PlatformError where error.status.code < 500 {
                return nil
            }
        }
    }

    private func answer(_ error: any Error, request: Request, context: PlatformContext) -> Response {
        var (answer, log) = ErrorMapping.answer(error)
        if log {
            context.logger.error(
                "A request failed",
                metadata: ["method": "\(request.method)", "route": "\(context.route)", "error": "\(String(reflecting: error))"])
        }
        if answer.status == .unauthorized, answer.headers[.wwwAuthenticate] == nil {
            answer.headers[.wwwAuthenticate] = "Bearer realm=\"\(service)\""
        }
        var response = renderer.render(answer)
        for field in answer.headers { response.headers[field.name] = field.value }
        return response
    }
}
