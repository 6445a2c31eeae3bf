import Hummingbird
import PlatformClients
import ServiceKit

struct OrgClusterRoutes: Sendable {
    let directory: Directory

    func register(on router: PlatformRouter) {
        let orgs = "\(apiPrefix)/clusters/{cluster}/orgs"
        router.get(orgs, access: .principal) { _, context in
            JSONResponse(try await directory.orgs(in: context.cluster(), as: context.requireCaller()))
        }
        router.post(orgs, access: .principal) { request, context in
            let body = try await request.decode(as: OrgCluster.self, context: context)
            return JSONResponse(try await directory.addOrg(body, to: context.cluster(), as: context.requireCaller()))
        }
        router.get("\(orgs)/{org}", access: .principal) { _, context in
            JSONResponse(try await directory.org(context.org(), in: context.cluster(), as: context.requireCaller()))
        }
        router.put("\(orgs)/{org}", access: .principal) { request, context in
            let body = try await request.decode(as: OrgCluster.self, context: context)
            guard try body.orgName == context.org() else { throw PlatformError.badRequest("org_name: differs from the path") }
            return JSONResponse(try await directory.updateOrg(body, in: context.cluster(), as: context.requireCaller()))
        }
        router.delete("\(orgs)/{org}", access: .principal) { _, context in
            try await directory.removeOrg(context.org(), from: context.cluster(), as: context.requireCaller())
            return Response(status: .noContent)
        }
        router.patch("\(orgs)/{org}/defaults", access: .principal) { request, context in
            let body = try await request.decode(as: OrgClusterDefaults.self, context: context)
            return JSONResponse(
                try await directory.changeDefaults(of: context.org(), in: context.cluster(), body, as: context.requireCaller()))
        }
        router.patch("\(orgs)/{org}/quota", access: .principal) { request, context in
            let body = try await request.decode(as: QuotaChange.self, context: context)
            let key = try context.idempotencyKey(request, body)
            return JSONResponse(
                try await directory.changeQuota(of: context.org(), in: context.cluster(), body, key: key, as: context.requireCaller()))
        }
        registerCredits(on: router, orgs)
    }

    private func registerCredits(on router: PlatformRouter, _ orgs: String) {
        router.patch("\(orgs)/{org}/balance", access: .principal) { request, context in
            let body = try await request.decode(as: BalanceChange.self, context: context)
            let key = try context.idempotencyKey(request, body)
            return JSONResponse(
                try await directory.changeBalance(of: context.org(), in: context.cluster(), body, key: key, as: context.requireCaller()))
        }
        router.post("\(orgs)/{org}/spending", access: .principal) { request, context in
            let body = try await request.decode(as: SpendingRequest.self, context: context)
            let key = try context.idempotencyKey(request, body)
            return JSONResponse(
                try await directory.spend(body, of: context.org(), in: context.cluster(), key: key, as: context.requireCaller()))
        }
        // For charges whose member is gone; older billing code sends them.
        router.post("\(apiPrefix)/clusters/{cluster}/debts", access: .principal) { request, context in
            let body = try await request.decode(as: DebtRequest.self, context: context)
            let key = try context.idempotencyKey(request, body)
            try await directory.recordDebt(body, in: context.cluster(), key: key, as: context.requireCaller())
            return Response(status: .noContent)
        }
    }
}
