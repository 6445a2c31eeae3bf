import Foundation
import NIOHTTP1
import ServiceKit

/// An answer, read to its end.
public struct TestAnswer: Sendable {
    /// The status code.
    public let status: Int
    /// The headers.
    public let headers: HTTPHeaders
    /// The body.
    public let data: Data

    /// An answer that no server gave.
    public init(status: Int, headers: HTTPHeaders, data: Data) {
        self.status = status
        self.headers = headers
        self.data = data
    }

    /// The body as text.
    public var body: String { String(decoding: data, as: UTF8.self) }

    /// The body as JSON.
    public func json<T: Decodable>(_ type: T.Type = T.self) throws -> T { try PlatformJSON.decoder().decode(type, from: data) }

    /// The body as a JSON object, for bodies that no type describes.
    public func object() throws -> [String: Any] { try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:] }

    /// `error` of the usual error body.
    public var error: String? { (try? object())?["error"] as? String }
}
