import Foundation
import Hummingbird
import Kubernetes
import NIOCore
import ServiceKit
import Yams

/// Reads the body of a request.
enum BodyReader {
    /// The media types of objects.
    static let objects = ["application/json", "application/yaml", ProtobufReader.mediaType]

    /// Bytes of body, as a genuine server allows.
    static let limit = 3 << 20

    struct Content {
        var value: JSONValue
        /// Paths of members that stand twice.
        var duplicates: [String]
    }

    /// The media type without its parameters; empty when the request does not say.
    static func mediaType(_ request: Request) -> String {
        (request.headers[.contentType] ?? "").split(separator: ";").first.map { $0.trimmed.lowercased() } ?? ""
    }

    /// An object, from JSON or YAML; nil when there is no body.
    /// - Throws: ``StatusError`` 400, 413, 415.
    static func read(_ request: Request, accepting types: [String] = objects) async throws -> Content? {
        let type = mediaType(request)
        guard type.isEmpty || types.contains(type) else { throw StatusError.unsupportedMediaType(accepted: types) }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw StatusError.tooLarge(limit: limit)
        }
        guard buffer.readableBytes > 0 else { return nil }
        if type == ProtobufReader.mediaType {
            guard let object = try ProtobufReader.object(Array(buffer.readableBytesView)) else {
                throw StatusError.unsupportedMediaType(accepted: objects.filter { $0 != type })
            }
            return Content(value: object, duplicates: [])
        }
        do {
            let (value, duplicates) = try JSONParser.read(buffer.readableBytesView)
            return Content(value: value, duplicates: duplicates)
        } catch {
            guard type.hasSuffix("yaml") else {
                throw StatusError.badRequest("couldn't get version/kind; json parse error: \(error)")
            }
        }
        do {
            let any = try Yams.load(yaml: String(buffer: buffer))
            return Content(value: try json(any), duplicates: [])
        } catch {
            throw StatusError.badRequest("yaml: \(error)")
        }
    }

    private static func json(_ value: Any?) throws -> JSONValue {
        switch value {
        case nil, is NSNull: return .null
        case let flag as Bool: return .bool(flag)
        case let number as Int: return .integer(Int64(number))
        case let number as Double: return .number(number)
        case let text as String: return .string(text)
        case let date as Date: return .string(KubernetesTime.format(date))
        case let list as [Any]: return .array(try list.map { try json($0) })
        case let map as [AnyHashable: Any]:
            var members: [String: JSONValue] = [:]
            for (key, member) in map { members[(key.base as? String) ?? "\(key.base)"] = try json(member) }
            return .object(members)
        case let other?: throw StatusError.badRequest("yaml: a value of type \(type(of: other))")
        }
    }
}
