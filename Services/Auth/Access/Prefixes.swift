import PlatformModel

/// The canonical texts of a URI and of everything above it: those grants, and no others, cover it.
enum Prefixes {
    /// From the whole scheme down to the URI itself: `job:`, `job://default`, `job://default/acme`.
    static func of(_ uri: ResourceURI) -> [String] {
        var text = uri.scheme.rawValue + ":"
        var all = [text]
        all.reserveCapacity(uri.segments.count + 1)
        for (index, segment) in uri.segments.enumerated() {
            text += (index == 0 ? "//" : "/") + PercentCoding.encode(segment)
            all.append(text)
        }
        return all
    }
}

extension Action {
    /// The digit that stands for the action in the copy and in the database.
    var rank: Int {
        switch self {
        case .deny: 0
        case .list: 1
        case .read: 2
        case .write: 3
        case .manage: 4
        }
    }

    init(rank: Int) {
        self =
            switch rank {
            case 4...: .manage
            case 3: .write
            case 2: .read
            case 1: .list
            default: .deny
            }
    }
}
