import PlatformModel

/// One event of a stream (deployment.md 4.5).
public struct PlatformEvent: Decodable, Sendable {
    /// What it is acknowledged by; unique in its stream.
    public let tag: String
    /// When it happened, by the clock of the streams.
    public let timestamp: UTCTime
    public let sender: String
    public let stream: String
    public let type: String
    public let org: String?
    public let cluster: String?
    public let project: String?
    public let user: String?

    private enum CodingKeys: String, CodingKey {
        case tag, timestamp, sender, stream, org, cluster, project, user
        case type = "event_type"
    }
}
