import Identity
import PlatformClients
import PlatformModel
import ServiceKit

extension Directory {
    /// Grants, all or nothing; what is held already is never lowered. The resulting direct actions, in order.
    func grant(_ permissions: [Permission], to principal: PrincipalName, by caller: Caller) async throws -> [Permission] {
        try await requireAuthority(over: permissions.map(\.uri), to: principal, by: caller, adding: true)
        let entry = Self.entry(.grant, by: caller, on: principal, permissions.map(\.description))
        guard let actions = try await repeatingDeadlocks({ try await grants.add(permissions, to: principal, noting: entry) }) else {
            throw Self.notFound(principal)
        }
        audit.tell(entry)
        try await publish([principal.text])
        return zip(permissions, actions).map { Permission($0.uri, $1) }
    }

    /// Makes these the only direct grants of a principal, beside its implicit ones.
    func replace(_ permissions: [Permission], of principal: PrincipalName, by caller: Caller) async throws {
        let (actions, verdicts) = try await ask(
            caller, on: [principal.roleURI, principal.userURI], about: [Question(principal: principal)])
        guard max(actions[0], actions[1]) == .manage else { throw PlatformError.forbidden() }
        guard verdicts[0].exists else { throw Self.notFound(principal) }
        try await requireAuthority(over: permissions.map(\.uri), to: principal, by: caller, adding: true)
        let entry = Self.entry(.replace, by: caller, on: principal, permissions.map(\.description))
        guard try await repeatingDeadlocks({ try await grants.replace(permissions, of: principal, noting: entry) }) else {
            throw Self.notFound(principal)
        }
        audit.tell(entry)
        try await publish([principal.text])
    }

    /// Revokes the direct grants on exactly these URIs. Answered only when no copy holds them any more.
    func revoke(_ uris: [ResourceURI], from principal: PrincipalName, by caller: Caller) async throws {
        try await requireAuthority(over: uris, to: principal, by: caller, adding: false)
        let entry = Self.entry(.revoke, by: caller, on: principal, uris.map(\.canonical))
        guard let removed = try await repeatingDeadlocks({ try await grants.remove(uris, from: principal, noting: entry) }) else {
            throw Self.notFound(principal)
        }
        // Published even if nothing was removed: this may repeat a revocation that was committed and could not be published.
        try await publish([principal.text])
        guard removed > 0 else { throw PlatformError.badRequest("Operation has no effect") }
        audit.tell(entry)
    }

    /// 403 for granting to oneself (unless one manages all users), 404 for an unknown principal, 403 without `manage` on every URI.
    private func requireAuthority(
        over uris: [ResourceURI], to principal: PrincipalName, by caller: Caller, adding: Bool
    ) async throws {
        let (actions, verdicts) = try await ask(caller, on: [ResourceURI(.user)] + uris, about: [Question(principal: principal)])
        let mayAskAnything = actions[0] == .manage
        if !mayAskAnything { try refusals.admit(caller.name) }
        if adding, principal.text == caller.name, actions[0] < .manage {
            throw PlatformError.forbidden("Adding self user is forbidden")
        }
        guard verdicts[0].exists, actions.dropFirst().allSatisfy({ $0 == .manage }) else {
            if !mayAskAnything { refusals.refused(caller.name) }
            throw verdicts[0].exists ? PlatformError.forbidden() : Self.notFound(principal)
        }
    }

    /// What of `permissions` the principal lacks, in the order asked. The platform's busiest question: one round trip.
    func missing(_ permissions: [Permission], of principal: PrincipalName, caller: Caller) async throws -> [Permission] {
        let uris = permissions.map(\.uri)
        let actions: [Action]
        if principal.text == caller.name {
            // Whoever's token stands may ask about itself.
            actions = try await ask(caller, on: uris).actions
        } else {
            actions = try await requireReadable(principal, by: caller, asking: Question(principal: principal, uris: uris)).actions
        }
        return zip(permissions, actions).filter { $0.action > $1 }.map(\.0)
    }

    func tree(of uri: ResourceURI, depth: Int?, for principal: PrincipalName, caller: Caller) async throws -> PermissionTree {
        let verdict = try await requireReadable(
            principal, by: caller, asking: Question(principal: principal, everything: uri.scheme))
        guard verdict.grants.count(where: { uri.covers($0.uri) }) <= treeLimit else {
            throw PlatformError.badRequest("uri: more than \(treeLimit) grants lie below \(uri.text); ask for a part of it")
        }
        return PermissionTree(of: uri, grants: verdict.grants, depth: depth)
    }

    /// The flat list of what a principal holds, by itself or with its roles.
    func permissions(
        of principal: PrincipalName, below filter: ResourceURI?, expandingRoles: Bool, caller: Caller
    ) async throws -> [Permission] {
        _ = try await requireReadable(principal, by: caller)
        var table = GrantTable()
        if expandingRoles {
            guard let whole = try await judge.closures.table(of: principal) else { throw Self.notFound(principal) }
            table = whole
        } else {
            for grant in try await judge.closures.records(of: [principal.text], whole: true).flatMap(\.grants) {
                table.add(grant.uri, grant.action)
            }
        }
        return table.list(below: filter)
    }

    /// Direct grants of others on what the principal manages.
    func shared(by principal: PrincipalName, below filter: ResourceURI?, caller: Caller) async throws -> [SharedPermission] {
        _ = try await requireReadable(principal, by: caller)
        guard let table = try await judge.closures.table(of: principal) else { throw Self.notFound(principal) }
        let managed = table.permissions.filter { $0.action == .manage }.map(\.uri)
        return try await grants.shared(by: principal, managed: managed, below: filter).map { grantee, permission in
            SharedPermission(user: PrincipalName(checked: grantee), uri: permission.uri, action: permission.action)
        }
    }
}
