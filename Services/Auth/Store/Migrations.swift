import Postgres

/// The schema, one step a file.
enum Migrations {
    static let all = [M0001Principals.migration, M0002SignIn.migration, M0003AuditLog.migration, M0004RoleIndex.migration]
}
