import PlatformModel
import ServiceKit

extension Directory {
    /// Second segments of names that only the platform's own services make roles under.
    private static let platformSegments: Set<Substring> = ["manager", "admin", "users"]
    private static let everyUser = ResourceURI(.user)

    /// Creates a principal that holds nothing but itself, or the services of a cluster with what those need.
    func create(_ principal: PrincipalName, by caller: Caller) async throws {
        let (actions, _) = try await ask(caller, on: [Self.everyUser, principal.userURI, principal.roleURI])
        let managesUsers = actions[0] == .manage
        if principal.isSubrole {
            guard actions[1] == .manage || actions[2] == .manage else { throw PlatformError.forbidden() }
            let second = principal.segments[1]
            guard managesUsers || !Self.platformSegments.contains(second) else {
                throw PlatformError.forbidden("Names below \(principal.base)/\(second) are made by the platform")
            }
        } else {
            guard actions[1] == .manage else { throw PlatformError.forbidden() }
            guard principal.text != "user" else { throw PlatformError.conflict("user \"user\" already exists: the name is reserved") }
            guard principal.text.utf8.count <= 63 else { throw PlatformError.badRequest("name: at most 63 characters without a slash") }
        }
        let entry = Self.entry(.create, by: caller, on: principal)
        let created = try await principals.pool.transaction { connection in
            if principal.isSubrole, try await !principals.hold(principal.base, on: connection) { throw Self.notFound(principal.base) }
            guard try await principals.create(principal, on: connection) else { return false }
            try await AuditLog.record(entry, on: connection)
            if let permissions = BuiltInPrincipals.permissions(of: principal) {
                try await GrantStore.insert(permissions, to: principal, on: connection)
            }
            return true
        }
        // Also what was there already: an earlier request may have been committed and not published.
        try await publish([principal.text])
        guard created else { throw PlatformError.conflict("user \"\(principal)\" already exists") }
        audit.tell(entry)
    }

    /// Deletes a principal, everything below it, and everybody's grants on them. Its tokens stop working at once.
    func delete(_ principal: PrincipalName, by caller: Caller) async throws {
        let (actions, _) = try await ask(caller, on: [principal.userURI, principal.roleURI])
        guard actions[0] == .manage || (principal.isSubrole && actions[1] == .manage) else { throw PlatformError.forbidden() }
        guard try await !principals.isBuiltin(principal) else {
            throw PlatformError.forbidden("\(principal) is part of the platform and cannot be deleted")
        }
        let entry = Self.entry(.delete, by: caller, on: principal)
        guard let changed = try await repeatingDeadlocks({ try await principals.delete(principal, noting: entry) }) else {
            // A deletion that was committed and not published is finished by its repetition.
            try await publish([principal.text])
            throw Self.notFound(principal)
        }
        audit.tell(entry)
        try await publish(changed)
    }

    /// Also below what is but the beginning of names: `alice/roles`.
    func subroles(of principal: PrincipalName, caller: Caller) async throws -> [PrincipalName] {
        guard try await ask(caller, on: [principal.userURI]).actions[0] >= .read else { throw PlatformError.forbidden() }
        let found = try await principals.subroles(of: principal)
        if found.isEmpty, try await !principals.exists(principal.base) { throw Self.notFound(principal) }
        return found.map { PrincipalName(checked: $0) }
    }
}
