import Foundation
import Kubernetes

/// A list, or a piece of one.
struct ObjectPage: Sendable {
    var items: [Object]
    /// A watch after this version misses nothing.
    var resourceVersion: String
    /// Continues the list; nil at its end.
    var next: String?
    /// How many follow, when that is known (not with a selector).
    var remaining: Int?
}

/// Where a list goes on: after which key, and at which version it was begun.
struct ContinueToken {
    let version: UInt64
    let after: String

    init(version: UInt64, after: String) {
        self.version = version
        self.after = after
    }

    /// - Throws: ``StatusError`` 400.
    init(_ text: String) throws(StatusError) {
        let padded = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        let filled = padded + String(repeating: "=", count: (4 - padded.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: filled), let value = try? JSONParser.parse(data), let version = value["rv"]?.integer,
            version >= 0, let after = value["start"]?.string
        else { throw .badRequest("continue key is not valid: illegal base64 or JSON data") }
        self.version = UInt64(version)
        self.after = after
    }

    var text: String {
        let value: JSONValue = ["v": "meta.k8s.io/v1", "rv": .integer(Int64(version)), "start": .string(after)]
        return JSONWriter.data(value).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
}
