import Postgres

/// All migrations of jobs-api's database, oldest first. A number is never used twice and a published migration never edited.
enum Migrations {
    static let all: [Migration] = [m0001Jobs, m0002Leases, m0003Notifications, m0004LeftGrants]
}
