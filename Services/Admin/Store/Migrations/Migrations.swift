import Postgres

/// The schema of this service, in order.
let adminMigrations = [m0001Entities, m0002Outboxes, m0003Audit, m0004Events]
