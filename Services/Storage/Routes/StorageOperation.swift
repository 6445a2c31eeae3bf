import HTTPTypes
import ServiceKit

/// What a request asks for: by `op=<name>`, or by a parameter that is called like an operation (storage.md 6).
enum StorageOperation: String, CaseIterable, Sendable {
    case create = "CREATE"
    case open = "OPEN"
    case write = "WRITE"
    case list = "LISTSTATUS"
    case status = "GETFILESTATUS"
    case usage = "GETDISKUSAGE"
    case makeFolders = "MKDIRS"
    case delete = "DELETE"
    case rename = "RENAME"
    case socket = "WEBSOCKET"
    case readingSocket = "WEBSOCKET_READ"
    case writingSocket = "WEBSOCKET_WRITE"

    /// What each method can be, the usual one first.
    private static let allowed: [HTTPRequest.Method: [StorageOperation]] = [
        .get: [.open, .list, .status, .usage, .socket, .readingSocket, .writingSocket],
        .put: [.create, .makeFolders], .patch: [.write], .post: [.rename], .delete: [.delete],
    ]

    /// - Throws: 400 for an operation that there is not, that the method is not, or that is named twice.
    init(_ method: HTTPRequest.Method, _ query: QueryItems) throws {
        let allowed = Self.allowed[method] ?? []
        var named: [String] = []
        if let value = query.first("op")?.uppercased() {
            guard StorageOperation(rawValue: value) != nil else {
                throw PlatformError.badRequest("\(Quotation(value)) is not a valid StorageOperation")
            }
            named.append(value)
        }
        var flags: [String] = []
        for item in query.items {
            let name = item.name.uppercased()
            if StorageOperation(rawValue: name) != nil, !flags.contains(name) { flags.append(name) }
        }
        named += flags
        guard named.count < 2 else { throw PlatformError.badRequest("Ambiguous operations: \(named.joined(separator: ", "))") }
        guard let name = named.first, let operation = StorageOperation(rawValue: name) else {
            guard let usual = allowed.first else { throw PlatformError.badRequest("No operation") }
            self = usual
            return
        }
        guard allowed.contains(operation) else { throw PlatformError.badRequest("Illegal operation: \(name)") }
        self = operation
    }
}

/// A value inside a message, in single quotes unless it contains one.
struct Quotation: CustomStringConvertible {
    private let text: String
    init(_ text: some StringProtocol) { self.text = String(text.prefix(200)) }

    var description: String {
        let quote = text.contains("'") && !text.contains("\"") ? "\"" : "'"
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\\\"
            case "'" where quote == "'": "\\'"
            case "\n": "\\n"
            case "\r": "\\r"
            case "\t": "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }
        return quote + escaped.joined() + quote
    }
}
