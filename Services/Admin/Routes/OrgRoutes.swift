import Hummingbird
import PlatformClients
import ServiceKit

struct OrgRoutes: Sendable {
    let directory: Directory

    func register(on router: PlatformRouter) {
        let orgs = "\(apiPrefix)/orgs"
        router.get(orgs, access: .principal) { _, context in
            JSONResponse(try await directory.orgs(as: context.requireCaller()))
        }
        router.post(orgs, access: .principal) { request, context in
            let body = try await request.decode(as: Org.self, context: context)
            return JSONResponse(
                try await directory.createOrg(
                    body, joiningDefaults: !context.flag("skip_auto_add_to_clusters"), as: context.requireCaller()))
        }
        router.get("\(orgs)/{org}", access: .principal) { _, context in
            JSONResponse(try await directory.org(context.org(), as: context.requireCaller()))
        }
        router.delete("\(orgs)/{org}", access: .principal) { _, context in
            JSONResponse(try await directory.deleteOrg(context.org(), as: context.requireCaller()))
        }
        for path in ["\(orgs)/{org}", "\(orgs)/{org}/defaults"] {
            router.patch(path, access: .principal) { request, context in
                let body = try await request.decode(as: OrgDefaults.self, context: context)
                return JSONResponse(try await directory.changeDefaults(of: context.org(), body, as: context.requireCaller()))
            }
        }
        router.patch("\(orgs)/{org}/balance", access: .principal) { request, context in
            let body = try await request.decode(as: BalanceChange.self, context: context)
            let key = try context.idempotencyKey(request, body)
            return JSONResponse(try await directory.changeBalance(of: context.org(), body, key: key, as: context.requireCaller()))
        }
        router.post("\(orgs)/{org}/spending", access: .principal) { request, context in
            let body = try await request.decode(as: SpendingRequest.self, context: context)
            let key = try context.idempotencyKey(request, body)
            return JSONResponse(try await directory.spend(body, of: context.org(), key: key, as: context.requireCaller()))
        }
        registerMembers(on: router, "\(orgs)/{org}/users")
    }

    private func registerMembers(on router: PlatformRouter, _ users: String) {
        router.get(users, access: .principal) { _, context in
            let roles = try context.query.all("roles").map { text in
                guard let role = OrgRole(rawValue: text) else { throw PlatformError.badRequest("roles: '\(text)' is not a role") }
                return role
            }
            return JSONResponse(
                try await directory.members(of: context.org(), roles: roles, info: context.withUserInfo, as: context.requireCaller()))
        }
        router.post(users, access: .principal) { request, context in
            let body = try await request.decode(as: OrgUser.self, context: context)
            return JSONResponse(
                try await directory.addMember(body, to: context.org(), info: context.withUserInfo, as: context.requireCaller()))
        }
        router.get("\(users)/{user...}", access: .principal) { _, context in
            JSONResponse(
                try await directory.member(
                    context.principal().text, of: context.org(), info: context.withUserInfo, as: context.requireCaller()))
        }
        router.put("\(users)/{user}", access: .principal) { request, context in
            let body = try await request.decode(as: OrgUser.self, context: context)
            return JSONResponse(
                try await directory.updateMember(
                    context.user(), of: context.org(), body, info: context.withUserInfo, as: context.requireCaller()))
        }
        router.delete("\(users)/{user}", access: .principal) { _, context in
            try await directory.removeMember(context.user(), of: context.org(), as: context.requireCaller())
            return Response(status: .noContent)
        }
        // What a service account spends is its owner's.
        router.patch("\(users)/{user...}/balance", access: .principal) { request, context in
            let body = try await request.decode(as: BalanceChange.self, context: context)
            return JSONResponse(
                try await directory.changeBalance(
                    of: context.principal().text, in: context.org(), body, key: context.idempotencyKey(request, body),
                    info: context.withUserInfo, as: context.requireCaller()))
        }
        router.post("\(users)/{user...}/spending", access: .principal) { request, context in
            let body = try await request.decode(as: SpendingRequest.self, context: context)
            return JSONResponse(
                try await directory.spend(
                    body, of: context.principal().text, in: context.org(), key: context.idempotencyKey(request, body),
                    info: context.withUserInfo, as: context.requireCaller()))
        }
    }
}
