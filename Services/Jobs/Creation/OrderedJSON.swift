/// A JSON value whose objects keep the order of their keys: environment variables reach the container in request order. Read by
/// `OrderedJSONParser`, because Foundation's decoder neither keeps the order nor tells an integer from an integral float.
indirect enum OrderedJSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Written with a fraction or exponent, or too large for 64 bits; always finite.
    case number(Double)
    case string(String)
    case array([OrderedJSON])
    case object([Member])

    struct Member: Hashable, Sendable {
        var key: String
        var value: OrderedJSON
    }

    static let emptyObject = OrderedJSON.object([])

    subscript(key: String) -> OrderedJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// Sets or replaces a member of an object; anything else stays as it is.
    mutating func set(_ key: String, _ value: OrderedJSON) {
        guard case .object(var members) = self else { return }
        if let index = members.firstIndex(where: { $0.key == key }) {
            members[index].value = value
        } else {
            members.append(Member(key: key, value: value))
        }
        self = .object(members)
    }
}
