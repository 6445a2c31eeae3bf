import Foundation
import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// `/users/{name}/permissions` and below.
struct PermissionRoutes: Sendable {
    static let maximumCheck = 1_000
    let directory: Directory
    let origins: RequestOrigins

    func register(on router: PlatformRouter) {
        let base = "/api/v1/users/{name}/permissions"
        router.get(base, access: .principal) { _, context in
            try await JSONResponse(
                directory.permissions(
                    of: context.principal(), below: context.uri(), expandingRoles: context.query.bool("expand_roles") ?? true,
                    caller: context.requireCaller()))
        }
        router.post(base, access: .principal) { request, context in
            let permissions = try await Self.grants(request, context, atLeast: 1)
            let granted = try await origins.with(request, context) {
                try await directory.grant(permissions, to: context.principal(), by: context.requireCaller())
            }
            return JSONResponse(granted, status: .created)
        }
        router.put(base, access: .principal) { request, context in
            let permissions = try await Self.grants(request, context, atLeast: 0)
            try await origins.with(request, context) {
                try await directory.replace(permissions, of: context.principal(), by: context.requireCaller())
            }
            return Response(status: .noContent)
        }
        router.delete(base, access: .principal) { request, context in
            let texts = context.query.all("uri").filter { !$0.isEmpty }
            guard !texts.isEmpty else { throw PlatformError.badRequest("\"uri\" request parameter is missing") }
            try await origins.with(request, context) {
                try await directory.revoke(texts.map { try ResourceURI($0) }, from: context.principal(), by: context.requireCaller())
            }
            return Response(status: .noContent)
        }
        router.get(base + "/tree", access: .principal) { _, context in
            guard let uri = try context.uri() else { throw PlatformError.badRequest("\"uri\" request parameter is missing") }
            let depth = try context.query.int("depth")
            guard depth ?? 0 >= 0 else { throw PlatformError.badRequest("depth: must not be negative") }
            return try await JSONResponse(
                directory.tree(of: uri, depth: depth, for: context.principal(), caller: context.requireCaller()))
        }
        router.get(base + "/shared", access: .principal) { _, context in
            try await JSONResponse(
                directory.shared(by: context.principal(), below: context.uri(), caller: context.requireCaller()))
        }
        // The second face's clients put names with raw slashes into the path.
        for path in [base + "/check", "/apis/admin/v1/users/{name...}/permissions/check"] {
            router.post(path, access: .principal, isBrief: true, use: check)
        }
    }

    @Sendable private func check(_ request: Request, _ context: PlatformContext) async throws -> Response {
        let body = try await request.body.collect(upTo: context.maxUploadSize)
        let permissions = try PlainPermissions.read(body) ?? JSONBodyDecoder.decode([Permission].self, from: Data(body.readableBytesView))
        guard (1...Self.maximumCheck).contains(permissions.count) else {
            throw PlatformError.badRequest(
                permissions.isEmpty ? "list length is less than 1" : "list length is more than \(Self.maximumCheck)")
        }
        guard permissions.allSatisfy(\.action.isCheckable) else { throw PlatformError.badRequest("action: deny cannot be asked for") }
        let missing = try await directory.missing(permissions, of: context.principal(), caller: context.requireCaller())
        guard !missing.isEmpty else {
            return Response(
                status: .ok, headers: [.contentType: PlatformJSON.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(staticString: "{\"missing\":[]}")))
        }
        return try JSONResponse(MissingPermissions(missing: missing)).response(from: request, context: context)
    }

    private static func grants(_ request: Request, _ context: PlatformContext, atLeast minimum: Int) async throws -> [Permission] {
        let permissions = try await request.decode(as: [Permission].self, context: context)
        guard permissions.count >= minimum else { throw PlatformError.badRequest("list length is less than 1") }
        guard permissions.count <= maximumCheck * 10 else {
            throw PlatformError.badRequest("list length is more than \(maximumCheck * 10)")
        }
        for permission in permissions where !permission.action.isGrantable {
            throw PlatformError.badRequest("action: \(permission.action.rawValue) cannot be granted")
        }
        return permissions
    }
}

extension PlatformContext {
    /// The `uri` of the query, if there is one.
    fileprivate func uri() throws -> ResourceURI? {
        guard let text = query.first("uri"), !text.isEmpty else { return nil }
        return try ResourceURI(text)
    }
}
