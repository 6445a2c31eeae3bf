/// Paths and queries of the API.
enum RequestPath {
    static func resource<Object>(
        _ kind: ResourceKind<Object>, namespace: String?, name: String? = nil, subresource: String? = nil,
        query: [(String, String)] = []
    ) -> String {
        var path = kind.group.isEmpty ? "/api/\(kind.version)" : "/apis/\(kind.group)/\(kind.version)"
        if kind.isNamespaced, let namespace { path += "/namespaces/\(escape(namespace))" }
        path += "/\(kind.plural)"
        if let name { path += "/\(escape(name))" }
        if let subresource { path += "/\(subresource)" }
        guard !query.isEmpty else { return path }
        return path + "?" + query.map { "\(escape($0.0))=\(escape($0.1))" }.joined(separator: "&")
    }

    static func list(labels: Selector?, fields: Selector?) -> [(String, String)] {
        var query: [(String, String)] = []
        if let labels { query.append(("labelSelector", labels.text)) }
        if let fields { query.append(("fieldSelector", fields.text)) }
        return query
    }

    /// Percent-encodes everything but RFC 3986's unreserved characters.
    static func escape(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF")
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                out.append("%")
                out.append(hex[Int(byte >> 4)])
                out.append(hex[Int(byte & 15)])
            }
        }
        return out
    }
}
