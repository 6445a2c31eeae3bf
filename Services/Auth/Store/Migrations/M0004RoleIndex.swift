import Postgres

/// Who is a member of what, found without reading every grant of the platform: each check that Postgres answers asks it once for each role.
enum M0004RoleIndex {
    static let migration = Migration(
        4, "role index",
        sql: """
            CREATE INDEX CONCURRENTLY IF NOT EXISTS grants_roles ON grants (principal) INCLUDE (role) WHERE role IS NOT NULL
            """,
        transactional: false)
}
