import Hummingbird
import PlatformClients
import PlatformModel
import ServiceKit

/// Projects: of an organization in a cluster, and the legacy ones of a cluster alone.
struct ProjectRoutes: Sendable {
    let directory: Directory

    func register(on router: PlatformRouter) {
        // Storage lists all projects of its cluster with this one call.
        router.get("\(apiPrefix)/clusters/{cluster}/projects", access: .principal) { _, context in
            JSONResponse(try await directory.projects(in: context.cluster(), as: context.requireCaller()))
        }
        router.get("\(apiPrefix)/clusters/{cluster}/orgs/{org}/projects", access: .principal) { _, context in
            let place = ProjectPlace(cluster: try context.cluster(), org: try context.org())
            return JSONResponse(try await directory.projects(in: place, as: context.requireCaller()))
        }
        register(on: router, "\(apiPrefix)/clusters/{cluster}/projects") { ProjectPlace(cluster: try $0.cluster(), org: nil) }
        register(on: router, "\(apiPrefix)/clusters/{cluster}/orgs/{org}/projects") {
            ProjectPlace(cluster: try $0.cluster(), org: try $0.org())
        }
    }

    private typealias Place = @Sendable (PlatformContext) throws -> ProjectPlace

    private struct Update: Decodable {
        let is_default: Bool?
        let default_role: ProjectRole?
    }

    private func register(on router: PlatformRouter, _ projects: String, place: @escaping Place) {
        router.post(projects, access: .principal) { request, context in
            let body = try await request.decode(as: CreateProjectRequest.self, context: context)
            return JSONResponse(try await directory.createProject(body, in: place(context), as: context.requireCaller()))
        }
        router.get("\(projects)/{project}", access: .principal) { _, context in
            JSONResponse(try await directory.project(context.project(), in: place(context), as: context.requireCaller()))
        }
        router.put("\(projects)/{project}", access: .principal) { request, context in
            let body = try await request.decode(as: Update.self, context: context)
            return JSONResponse(
                try await directory.updateProject(
                    context.project(), in: place(context), isDefault: body.is_default ?? false, role: body.default_role ?? .writer,
                    as: context.requireCaller()))
        }
        router.delete("\(projects)/{project}", access: .principal) { _, context in
            JSONResponse(try await directory.deleteProject(context.project(), in: place(context), as: context.requireCaller()))
        }
        registerMembers(on: router, "\(projects)/{project}/users", place: place)
    }

    private func registerMembers(on router: PlatformRouter, _ users: String, place: @escaping Place) {
        router.get(users, access: .principal) { _, context in
            JSONResponse(
                try await directory.members(
                    of: context.project(), in: place(context), info: context.withUserInfo, as: context.requireCaller()))
        }
        router.post(users, access: .principal) { request, context in
            let body = try await request.decode(as: ProjectUser.self, context: context)
            return JSONResponse(
                try await directory.addMember(
                    body, to: context.project(), in: place(context), info: context.withUserInfo, as: context.requireCaller()))
        }
        router.get("\(users)/{user}", access: .principal) { _, context in
            JSONResponse(
                try await directory.member(
                    context.parameter("user"), of: context.project(), in: place(context), info: context.withUserInfo,
                    as: context.requireCaller()))
        }
        router.put("\(users)/{user}", access: .principal) { request, context in
            let body = try await request.decode(as: ProjectUser.self, context: context)
            guard let role = body.role else { throw PlatformError.badRequest("role: is required") }
            guard try body.userName == nil || body.userName == context.user().text else {
                throw PlatformError.badRequest("user_name: differs from the path")
            }
            return JSONResponse(
                try await directory.updateMember(
                    context.user(), of: context.project(), in: place(context), role: role, as: context.requireCaller()))
        }
        router.delete("\(users)/{user}", access: .principal) { _, context in
            try await directory.removeMember(context.user(), of: context.project(), in: place(context), as: context.requireCaller())
            return Response(status: .noContent)
        }
    }
}
