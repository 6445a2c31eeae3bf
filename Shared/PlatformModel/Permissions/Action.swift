/// What may be done with a resource. Each action implies the lower ones.
public enum Action: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
    /// Nothing; the result of an evaluation without matching grants, never a veto.
    case deny
    /// The existence may be shown, not the details.
    case list
    case read
    case write
    /// Write, and pass permissions on to others.
    case manage

    private var rank: Int {
        switch self {
        case .deny: 0
        case .list: 1
        case .read: 2
        case .write: 3
        case .manage: 4
        }
    }

    public static func < (a: Action, b: Action) -> Bool { a.rank < b.rank }

    /// Whether the action may be stored in a grant: `read`, `write` and `manage`.
    public var isGrantable: Bool { self >= .read }

    /// Whether a check may ask for it: all but `deny`.
    public var isCheckable: Bool { self > .deny }
}
