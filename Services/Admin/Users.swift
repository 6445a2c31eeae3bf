import PlatformClients
import PlatformModel
import ServiceKit

extension Directory {
    private static let managesUsers = [Permission(ResourceURI(.user), .manage), Permission(ResourceURI(.cluster), .manage)]

    /// Creates a user and its principal. The same user again is answered as if it were new, whatever else was changed.
    func createUser(_ request: AdminUser, as caller: Caller) async throws -> AdminUser {
        try await auth.require([Self.managesUsers], as: caller)
        let name = try UserName(request.name)
        try NewNames.check(name)
        try Self.checkEmail(request.email)
        if let existing = try await UserQueries.user(name.text, on: pool) {
            try await outbox.flush([.user(name)])
            guard existing.email.lowercased() == request.email.lowercased() else {
                throw PlatformError.conflict("User '\(name)' already exists")
            }
            return existing
        }
        let counted = try await !auth.check([Self.operates], as: caller).isEmpty
        return try await change(touching: [.user(name)]) { db in
            if counted { try await limits.check(.users, of: caller, on: db) }
            try await NewNames.reserve(name, on: db)
            let taken = try await db.query(
                "SELECT 1 FROM clusters WHERE name = \(name.text) UNION ALL SELECT 1 FROM orgs WHERE name = \(name.text)")
            guard taken.isEmpty else { throw PlatformError.conflict("The name '\(name)' is taken") }
            let user = try await refusing(duplicate: "User '\(name)' or a user with this e-mail already exists") {
                try await UserQueries.insert(request, on: db)
            }
            try await AuditLog.created("users/\(name)", user, by: caller, on: db)
            return (user, [.user(name)])
        }
    }

    func users(as caller: Caller) async throws -> [AdminUser] {
        try await auth.require([Self.managesUsers + [Permission(ResourceURI(.user), .read)]], as: caller)
        return try await UserQueries.all(on: pool)
    }

    /// A user with the memberships asked for.
    func user(_ name: PrincipalName, including parts: Set<String>, as caller: Caller) async throws -> AdminUser {
        if caller.name == name.text {
            try await auth.verify(caller)
        } else {
            try await auth.requireAny(Permission(name.userURI, .read), Permission(ResourceURI(.cluster), .manage), as: caller)
        }
        guard var user = try await UserQueries.user(name.text, on: pool) else { throw Missing.user(name) }
        if parts.contains("orgs") { user.orgs = try await UserQueries.orgs(of: name.text, on: pool) }
        if parts.contains("clusters") { user.clusters = try await UserQueries.clusters(of: name.text, on: pool) }
        if parts.contains("projects") { user.projects = try await UserQueries.projects(of: name.text, on: pool) }
        return user
    }

    func updateUser(_ name: PrincipalName, _ request: AdminUser, as caller: Caller) async throws -> AdminUser {
        guard request.name == name.text else { throw PlatformError.badRequest("name: must be '\(name)'") }
        if caller.name == name.text {
            try await auth.verify(caller)
        } else {
            try await auth.require([Self.managesUsers], as: caller)
        }
        try Self.checkEmail(request.email)
        return try await transaction { db in
            _ = try await db.query("SELECT 1 FROM users WHERE name = \(name.text) FOR UPDATE")
            let old = try await UserQueries.user(name.text, on: db)
            let updated = try await refusing(duplicate: "A user with this e-mail already exists") {
                try await UserQueries.update(request, on: db)
            }
            guard let old, let updated else { throw Missing.user(name) }
            try await AuditLog.record(.update, "users/\(name)", by: caller, old: old, new: updated, on: db)
            return updated
        }
    }

    private static func checkEmail(_ text: String) throws {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), !text.contains(where: \.isWhitespace), text.utf8.count <= 320 else {
            throw PlatformError.badRequest("email: '\(text)' is not an e-mail address")
        }
    }
}
