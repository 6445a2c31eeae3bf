import PlatformModel

/// The roles a user was given. Written with the membership, before auth-api hears of it, so that a role is revoked even if a process died in
/// between.
enum HeldRoles {
    static func note(_ user: UserName, _ roles: [ManagedPrincipal], on db: some Database) async throws {
        for role in roles {
            try await db.execute(
                """
                INSERT INTO held_roles (user_name, role_name) VALUES (\(user.text), \(role.name.text)) ON CONFLICT DO NOTHING
                """)
        }
    }
}
