import Glibc

/// What a message asks for.
struct SocketRequest: Sendable {
    enum Operation: String, Sendable {
        case read = "READ"
        case stat = "STAT"
        case list = "LIST"
        case create = "CREATE"
        case write = "WRITE"
        case makeFolders = "MKDIRS"

        var writes: Bool { self == .create || self == .write || self == .makeFolders }
    }

    /// A refusal in words; of the system's, with its name.
    struct Refused: Error {
        let text: String
        var name: String?
    }

    let header: CBOR
    /// As it was asked for, known or not.
    let name: String
    let id: CBOR

    /// - Throws: what the header lacks.
    init(_ header: CBOR) throws(Refused) {
        guard case .map = header else { throw Refused(text: "the header is not a map") }
        guard let op = header["op"] else { throw Refused(text: "'op'") }
        guard let id = header["id"] else { throw Refused(text: "'id'") }
        guard let name = op.text else { throw Refused(text: "op should be a text") }
        self.header = header
        self.name = name
        self.id = id
    }

    /// The operation, if the connection may do it.
    func operation(mayWrite: Bool) throws(Refused) -> Operation {
        let operation = Operation(rawValue: name)
        if !mayWrite, operation?.writes ?? true { throw Refused(text: "Requires writing permission") }
        guard let operation else { throw Refused(text: "Unknown operation") }
        return operation
    }

    /// The place that is meant, below the connection's.
    func path(below base: StoragePath) throws(Refused) -> StoragePath {
        guard let value = header["path"] else { return base }
        guard let text = value.text else { throw Refused(text: "path should be a text") }
        guard text.utf8.first != UInt8(ascii: "/") else { throw Refused(text: "path should be relative: \(Quotation(text))") }
        for part in text.utf8.split(separator: UInt8(ascii: "/")) {
            for word in ["..", "."] where part.elementsEqual(word.utf8) {
                throw Refused(text: "path should not contain '\(word)' components: \(Quotation(text))")
            }
        }
        guard !text.utf8.contains(0) else { throw Refused(text: "embedded null byte") }
        do {
            return try StoragePath(text, from: base)
        } catch {
            throw Refused(FileFailure.nameTooLong)
        }
    }

    /// A number that must be there and must not be negative.
    func number(_ key: String) throws(Refused) -> Int64 {
        guard let value = header[key] else { throw Refused(text: "'\(key)'") }
        guard let number = value.integer, number >= 0 else {
            switch value {
            case .unsigned, .negative: throw Refused(FileFailure(EINVAL))
            default: throw Refused(text: "\(key) should be an integer")
            }
        }
        return number
    }
}

extension SocketRequest.Refused {
    /// By the system's own words: this protocol has no others.
    init(_ failure: FileFailure) { self.init(text: ErrorNames.text(failure.code), name: failure.name) }
}
