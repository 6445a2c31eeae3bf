import Foundation
import Hummingbird

/// Reads JSON bodies for `request.decode(as:context:)`. Whatever is wrong with a body is a 400 whose sentence names the field:
/// `name: expected a string`.
public struct JSONBodyDecoder: RequestDecoder {
    public func decode<T: Decodable>(_ type: T.Type, from request: Request, context: some RequestContext) async throws -> T {
        let buffer = try await request.body.collect(upTo: context.maxUploadSize)
        return try JSONBodyDecoder.decode(type, from: Data(buffer.readableBytesView))
    }

    /// Decodes a JSON document that a caller sent (a body, a WebSocket message).
    /// - Throws: ``PlatformError`` 400.
    public static func decode<T: Decodable>(_ type: T.Type, from data: Data) throws -> T {
        guard !data.isEmpty else { throw PlatformError.badRequest("The body is empty; expected JSON.") }
        do {
            return try PlatformJSON.decoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw PlatformError.badRequest(sentence(for: error))
        }
    }

    private static func sentence(for error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(path(context.codingPath + [key])): is required"
        case .valueNotFound(let type, let context): "\(path(context.codingPath)): must not be null, expected \(noun(type))"
        case .typeMismatch(let type, let context): "\(path(context.codingPath)): expected \(noun(type))"
        // What the parser itself refuses; a sentence of our own types always has a path or a type that wrote it.
        case .dataCorrupted(let context) where context.codingPath.isEmpty && context.debugDescription.contains("valid JSON"):
            "The body is not valid JSON."
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? context.debugDescription : "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default: "The body cannot be read."
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        guard !keys.isEmpty else { return "body" }
        return keys.reduce(into: "") { text, key in
            if let index = key.intValue { text += "[\(index)]" } else { text += (text.isEmpty ? "" : ".") + key.stringValue }
        }
    }

    private static func noun(_ type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type, is Decimal.Type: "a number"
        case is Date.Type: "a time"
        case is any ExpressibleByArrayLiteral.Type: "a list"
        case is any ExpressibleByDictionaryLiteral.Type: "an object"
        default: "another type"
        }
    }
}
