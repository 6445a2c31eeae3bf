import Postgres

/// All migrations of config-api's database, oldest first. A number is never used twice and a published migration never edited.
enum Migrations {
    static let all: [Migration] = [m0001Clusters, m0002SealedCredentials]
}
