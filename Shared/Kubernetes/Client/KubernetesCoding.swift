import Foundation

/// The JSON of the API: times are RFC 3339, with a fraction in `MicroTime` fields only.
enum KubernetesCoding {
    static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            guard let date = KubernetesTime.parse(text) else {
                throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not an RFC 3339 time: \(text)"))
            }
            return date
        }
        return decoder
    }

    static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var box = encoder.singleValueContainer()
            try box.encode(KubernetesTime.format(date))
        }
        return encoder
    }

    static func decode<T: Decodable>(_ type: T.Type, from data: Data) throws(KubernetesError) -> T {
        do {
            return try decoder().decode(type, from: data)
        } catch {
            throw .decoding("\(T.self): \(error)")
        }
    }
}

/// An object with the `apiVersion` and `kind` that the server wants to see.
struct Envelope<Object: KubernetesResource>: Encodable {
    let kind: ResourceKind<Object>
    let object: Object

    func encode(to encoder: any Encoder) throws {
        try object.encode(to: encoder)
        var box = encoder.container(keyedBy: AnyKey.self)
        try box.encode(kind.apiVersion, forKey: AnyKey("apiVersion"))
        try box.encode(kind.kind, forKey: AnyKey("kind"))
    }
}

/// A list page. An item that does not decode is left out rather than losing the whole list.
struct ListPage<Object: KubernetesResource>: Decodable {
    struct Meta: Decodable {
        var resourceVersion: String?
        var `continue`: String?
    }
    struct Lenient: Decodable {
        let value: Object?
        init(from decoder: any Decoder) throws { value = try? Object(from: decoder) }
    }
    let metadata: Meta
    let items: [Lenient]?
}
