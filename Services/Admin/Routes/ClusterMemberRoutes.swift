import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// Members of a cluster: directly, and on behalf of an organization.
struct ClusterMemberRoutes: Sendable {
    let directory: Directory

    func register(on router: PlatformRouter) {
        // The organization is in the body, also of members on behalf of one.
        router.post("\(apiPrefix)/clusters/{cluster}/users", access: .principal) { request, context in
            let body = try await request.decode(as: ClusterUser.self, context: context)
            return JSONResponse(
                try await directory.addMember(body, to: context.cluster(), info: context.withUserInfo, as: context.requireCaller()))
        }
        register(on: router, "\(apiPrefix)/clusters/{cluster}/users") { _ in nil }
        register(on: router, "\(apiPrefix)/clusters/{cluster}/orgs/{org}/users") { try $0.org() }
        registerCredits(on: router, "\(apiPrefix)/clusters/{cluster}/orgs/{org}/users")
    }

    /// Older clients change here what a member has in the organization. Direct members have no balance.
    private func registerCredits(on router: PlatformRouter, _ users: String) {
        router.patch("\(users)/{user...}/balance", access: .principal) { request, context in
            let body = try await request.decode(as: BalanceChange.self, context: context)
            return JSONResponse(
                try await directory.changeBalance(
                    of: context.principal().text, org: context.org(), in: context.cluster(), body,
                    key: context.idempotencyKey(request, body), info: context.withUserInfo, as: context.requireCaller()))
        }
        router.post("\(users)/{user...}/spending", access: .principal) { request, context in
            let body = try await request.decode(as: SpendingRequest.self, context: context)
            return JSONResponse(
                try await directory.spend(
                    body, of: context.principal().text, org: context.org(), in: context.cluster(),
                    key: context.idempotencyKey(request, body), info: context.withUserInfo, as: context.requireCaller()))
        }
    }

    private func register(
        on router: PlatformRouter, _ users: String, org: @escaping @Sendable (PlatformContext) throws -> OrgName?
    ) {
        router.get(users, access: .principal) { _, context in
            JSONResponse(
                try await directory.members(
                    of: context.cluster(), org: org(context), info: context.withUserInfo, onlyNames: context.flag("only_usernames"),
                    as: context.requireCaller()))
        }
        router.get("\(users)/{user...}", access: .principal) { _, context in
            JSONResponse(
                try await directory.member(
                    context.principal().text, of: context.cluster(), org: org(context), info: context.withUserInfo,
                    as: context.requireCaller()))
        }
        router.put("\(users)/{user}", access: .principal) { request, context in
            let body = try await request.decode(as: ClusterUser.self, context: context)
            return JSONResponse(
                try await directory.updateMember(
                    context.user(), of: context.cluster(), org: org(context), body, info: context.withUserInfo, as: context.requireCaller())
            )
        }
        router.delete("\(users)/{user}", access: .principal) { _, context in
            try await directory.removeMember(context.user(), of: context.cluster(), org: org(context), as: context.requireCaller())
            return Response(status: .noContent)
        }
        router.patch("\(users)/{user}/quota", access: .principal) { request, context in
            let body = try await request.decode(as: QuotaChange.self, context: context)
            return JSONResponse(
                try await directory.changeQuota(
                    of: context.user(), in: context.cluster(), org: org(context), body, key: context.idempotencyKey(request, body),
                    info: context.withUserInfo, as: context.requireCaller()))
        }
    }
}
