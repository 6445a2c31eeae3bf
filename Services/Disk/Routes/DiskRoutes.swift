import HTTPTypes
import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// `/api/v1/disk` (disk.md 3).
struct DiskRoutes: Sendable {
    private static let base = "/api/v1/disk"

    let disks: Disks

    func register(on router: PlatformRouter) {
        router.post(Self.base, access: .principal) { request, context in
            let caller = try Self.caller(context)
            let body = try await request.decode(as: JSON.self, context: context)
            return try await PlatformError.answering {
                JSONResponse(DiskView(try await disks.create(DiskRequest(body), as: caller)), status: .created)
            }
        }
        router.get(Self.base, access: .principal) { _, context in
            let caller = try Self.caller(context)
            let org = try Self.name("org_name", OrgName.self, context)
            return try await PlatformError.answering {
                guard context.query.first("project_name") != nil else {
                    return JSONResponse(try await disks.list(of: org, as: caller).map { DiskView($0) })
                }
                return JSONResponse(try await disks.list(in: Self.place(context), as: caller).map { DiskView($0) })
            }
        }
        router.get(Self.base + "/{disk}", access: .principal) { _, context in
            let (caller, place, disk) = try (Self.caller(context), Self.place(context), context.parameter("disk"))
            return try await PlatformError.answering { JSONResponse(DiskView(try await disks.disk(disk, in: place, as: caller))) }
        }
        router.delete(Self.base + "/{disk}", access: .principal) { _, context in
            let (caller, place, disk) = try (Self.caller(context), Self.place(context), context.parameter("disk"))
            try await PlatformError.answering { try await disks.remove(disk, in: place, as: caller) }
            return Response(status: .noContent)
        }
    }

    /// Tokens in addresses end up in logs.
    private static func caller(_ context: PlatformContext) throws -> Caller {
        guard context.query.first("neuro-auth-token") == nil else {
            throw PlatformError.badRequest("neuro-auth-token: tokens are not accepted in the query")
        }
        return try context.requireCaller()
    }

    private static func place(_ context: PlatformContext) throws -> DiskPlace {
        DiskPlace(org: try name("org_name", OrgName.self, context), project: try name("project_name", ProjectName.self, context))
    }

    private static func name<Name: PlatformName>(_ parameter: String, _ type: Name.Type, _ context: PlatformContext) throws -> Name {
        do {
            return try Name(context.query.required(parameter))
        } catch let error as NameError {
            throw PlatformError.badRequest("\(parameter): \(error.reason)")
        }
    }
}
