import Foundation
import Kubernetes

/// Reads the messages of Protocol Buffers that newer clients send for a few built-in kinds (`kubectl create namespace`, `auth can-i`); they
/// offer no other form. What is not listed in ``ProtobufMessages`` is refused with 415.
struct ProtobufReader {
    static let mediaType = "application/vnd.kubernetes.protobuf"

    /// What a field holds.
    indirect enum Form: Sendable {
        case text
        case bytes
        case integer
        case flag
        case time
        case integerOrText
        case message(String)
        case list(Form)
        case texts
        case byteTexts
    }

    struct Field: Sendable {
        let name: String
        let form: Form
    }

    /// An object out of its envelope (`k8s\0`, then a `runtime.Unknown`).
    /// - Returns: nil for a kind whose message is not known here.
    /// - Throws: ``StatusError`` 400.
    static func object(_ bytes: [UInt8]) throws -> Object? {
        guard bytes.starts(with: [0x6B, 0x38, 0x73, 0x00]) else { throw broken() }
        var envelope = ProtobufReader(bytes: bytes[4...])
        var apiVersion = ""
        var kind = ""
        var content: ArraySlice<UInt8> = []
        while let (number, value) = try envelope.next() {
            switch (number, value) {
            case (1, .bytes(let type)):
                var type = ProtobufReader(bytes: type)
                while let (number, value) = try type.next() {
                    guard case .bytes(let text) = value else { continue }
                    if number == 1 { apiVersion = String(decoding: text, as: UTF8.self) }
                    if number == 2 { kind = String(decoding: text, as: UTF8.self) }
                }
            case (2, .bytes(let raw)): content = raw
            default: continue
            }
        }
        guard ProtobufMessages.all[kind] != nil, ProtobufMessages.kinds.contains(kind) else { return nil }
        var object = try message(kind, content)
        object["apiVersion"] = .string(apiVersion)
        object["kind"] = .string(kind)
        return object
    }

    private enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var bytes: ArraySlice<UInt8>

    private static func broken() -> StatusError { .badRequest("the body is no message of Protocol Buffers that this server reads") }

    private mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { throw ProtobufReader.broken() }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw ProtobufReader.broken()
    }

    private mutating func take(_ count: UInt64) throws -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count) else { throw ProtobufReader.broken() }
        let taken = bytes.prefix(Int(count))
        bytes = bytes.dropFirst(Int(count))
        return taken
    }

    private mutating func next() throws -> (number: UInt64, value: Value)? {
        guard !bytes.isEmpty else { return nil }
        let tag = try varint()
        switch tag & 7 {
        case 0: return (tag >> 3, .number(try varint()))
        case 1: return (tag >> 3, .bytes(try take(8)))
        case 2: return (tag >> 3, .bytes(try take(try varint())))
        case 5: return (tag >> 3, .bytes(try take(4)))
        default: throw ProtobufReader.broken()
        }
    }

    private static func message(_ name: String, _ bytes: ArraySlice<UInt8>) throws -> JSONValue {
        guard let fields = ProtobufMessages.all[name] else { return .object([:]) }
        var members: [String: JSONValue] = [:]
        var reader = ProtobufReader(bytes: bytes)
        while let (number, value) = try reader.next() {
            guard let field = fields[Int(truncatingIfNeeded: number)] else { continue }
            switch field.form {
            case .list(let form):
                members[field.name] = .array((members[field.name]?.array ?? []) + [try single(form, value)])
            case .texts, .byteTexts:
                guard case .bytes(let entry) = value else { throw broken() }
                let (key, element) = try pair(entry, isText: isTexts(field.form))
                members[field.name] = .object((members[field.name]?.object ?? [:]).merging([key: element]) { $1 })
            default:
                let value = try single(field.form, value)
                // Go writes what is empty too; in JSON it is left out.
                if value != "", value != .null { members[field.name] = value }
            }
        }
        return .object(members)
    }

    private static func isTexts(_ form: Form) -> Bool { if case .texts = form { true } else { false } }

    private static func single(_ form: Form, _ value: Value) throws -> JSONValue {
        switch (form, value) {
        case (.text, .bytes(let bytes)): return .string(String(decoding: bytes, as: UTF8.self))
        case (.bytes, .bytes(let bytes)): return .string(Data(bytes).base64EncodedString())
        case (.integer, .number(let number)): return .integer(Int64(bitPattern: number))
        case (.flag, .number(let number)): return .bool(number != 0)
        case (.message(let name), .bytes(let bytes)): return try message(name, bytes)
        case (.time, .bytes(let bytes)):
            guard let seconds = try message("Time", bytes)["seconds"]?.integer else { return .null }
            return .string(KubernetesTime.format(Date(timeIntervalSince1970: Double(seconds))))
        case (.integerOrText, .bytes(let bytes)):
            let value = try message("IntOrString", bytes)
            // Unset, Go writes it as the number zero.
            return value["type"]?.integer == 1 ? value["text"] ?? "" : value["number"].flatMap { $0 == 0 ? nil : $0 } ?? .null
        default: throw broken()
        }
    }

    private static func pair(_ bytes: ArraySlice<UInt8>, isText: Bool) throws -> (String, JSONValue) {
        var reader = ProtobufReader(bytes: bytes)
        var (key, element) = ("", JSONValue.string(""))
        while let (number, value) = try reader.next() {
            guard case .bytes(let content) = value else { throw broken() }
            if number == 1 {
                key = String(decoding: content, as: UTF8.self)
            } else {
                element = .string(isText ? String(decoding: content, as: UTF8.self) : Data(content).base64EncodedString())
            }
        }
        return (key, element)
    }
}
