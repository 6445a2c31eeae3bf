import Postgres

extension Migrations {
    /// Every stored change wakes the controllers at once: channel `jobs_changed`, payload `{"cluster", "id", "version"}`.
    static let m0003Notifications = Migration(
        3, "notifications",
        sql: """
            CREATE FUNCTION notify_jobs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_notify(
                    'jobs_changed',
                    json_build_object('cluster', NEW.cluster_name, 'id', NEW.id, 'version', NEW.version)::text);
                RETURN NULL;
            END $$;
            CREATE TRIGGER jobs_changed AFTER INSERT OR UPDATE ON jobs
                FOR EACH ROW EXECUTE FUNCTION notify_jobs_changed();
            """)
}
