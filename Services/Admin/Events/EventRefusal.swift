/// What an `ERROR` frame says.
struct EventRefusal: Error {
    let code: String
    let text: String

    static func malformed(_ text: String) -> EventRefusal { EventRefusal(code: "malformed", text: text) }
    static func forbidden(_ text: String) -> EventRefusal { EventRefusal(code: "forbidden", text: text) }
    static func tooMany(_ text: String) -> EventRefusal { EventRefusal(code: "too-many", text: text) }
    static func unknown(stream: String) -> EventRefusal { EventRefusal(code: "unknown-stream", text: "There is no stream '\(stream)'") }
    static func forgotten(_ group: String) -> EventRefusal { EventRefusal(code: "forgotten", text: "Group '\(group)' must be joined anew") }
}
