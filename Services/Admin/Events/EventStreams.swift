import Logging
import PlatformClients
import Postgres
import ServiceKit

/// What connections to the event streams share.
struct EventStreams: Sendable {
    let auth: AuthClient
    let log: EventLog
    let groups: EventGroups
    let feed: EventFeed
    let retention: EventRetention
    let limits = StreamLimits(total: 1000, perCaller: 100)
    /// Between two looks whether a token stands.
    let recheck: Duration

    init(_ context: ServiceContext, pool: PostgresPool, auth: AuthClient) throws {
        let settings = context.settings
        self.auth = auth
        log = EventLog(pool: pool)
        var pace = EventGroups.Pace()
        pace.redelivery = try settings.duration("events.redelivery", default: pace.redelivery)
        pace.longest = max(pace.redelivery, try settings.duration("events.redelivery-limit", default: pace.longest))
        pace.sessionLimit = try settings.duration("events.session-limit", default: pace.sessionLimit)
        pace.window = try settings.int("events.window", default: pace.window)
        guard (1...1000).contains(pace.window) else { throw SettingError("ORRERY_EVENTS_WINDOW is \(pace.window); expected 1 to 1000.") }
        groups = EventGroups(pool: pool, pace: pace, logger: context.logger)
        feed = EventFeed(log: log, sweep: try settings.duration("events.sweep", default: .seconds(5)), logger: context.logger)
        recheck = try settings.duration("events.recheck", default: .seconds(60))
        let usual = EventRetention()
        retention = EventRetention(
            days: try settings.int("events.retention-days", default: usual.days),
            count: try settings.int("events.retention-count", default: usual.count),
            groupDays: try settings.int("events.group-days", default: usual.groupDays))
        guard retention.days > 0, retention.count > 0, retention.groupDays > 0 else {
            throw SettingError("ORRERY_EVENTS_RETENTION_DAYS, _RETENTION_COUNT and _GROUP_DAYS must be more than 0.")
        }
    }
}
