/// What `/ready` says of one dependency.
public struct DependencyState: Sendable, Encodable, Equatable {
    /// Whether it answers now.
    public let ok: Bool
    /// More, for people: numbers of the pool, the newest error without secrets.
    public let detail: [String: String]

    /// A state.
    public init(ok: Bool, detail: [String: String] = [:]) {
        self.ok = ok
        self.detail = detail
    }
}
