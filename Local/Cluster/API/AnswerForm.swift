import Hummingbird
import Kubernetes
import NIOCore

/// In which form a client wants objects.
enum AnswerForm: Equatable {
    case plain
    /// Rows and columns, for people (`kubectl get`).
    case table
    /// `metadata` alone.
    case metadata

    private static let accepted = "application/json, application/json;as=Table;v=v1;g=meta.k8s.io"

    /// The first form of an `Accept` header that is known here.
    /// - Throws: ``StatusError`` 406.
    init(_ accept: String?) throws(StatusError) {
        guard let accept, !accept.trimmed.isEmpty else {
            self = .plain
            return
        }
        for range in accept.split(separator: ",") {
            let parts = range.split(separator: ";").map(\.trimmed)
            guard let type = parts.first, ["application/json", "*/*", "application/*"].contains(type) else { continue }
            let parameters = Dictionary(
                parts.dropFirst().compactMap { part in
                    let pair = part.split(separator: "=", maxSplits: 1)
                    return pair.count == 2 ? (String(pair[0]), String(pair[1])) : nil
                }, uniquingKeysWith: { $1 })
            guard let form = parameters["as"] else {
                self = .plain
                return
            }
            guard parameters["g"] == "meta.k8s.io", parameters["v"] == "v1" else { continue }
            switch form {
            case "Table": self = .table
            case "PartialObjectMetadata", "PartialObjectMetadataList": self = .metadata
            default: continue
            }
            return
        }
        throw .notAcceptable("only the following media types are accepted: \(Self.accepted)")
    }

    /// The metadata of an object, as an object.
    static func metadata(of object: Object) -> Object {
        ["kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.metadata]
    }
}

/// Makes answers.
enum Answer {
    static let contentType: HTTPFields = [.contentType: "application/json"]

    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: contentType, body: .init(byteBuffer: JSONWriter.buffer(value)))
    }

    /// One object in the form that is wanted.
    static func object(
        _ object: Object, kind: ResourceKind, form: AnswerForm, includeObject: String?, status: HTTPResponse.Status = .ok
    ) -> Response {
        let object = kind.shown(object)
        switch form {
        case .plain: return json(object, status: status)
        case .metadata: return json(AnswerForm.metadata(of: object), status: status)
        case .table:
            return json(Table.make([object], kind: kind, resourceVersion: object.resourceVersion, include: includeObject), status: status)
        }
    }

    /// A list, written as fast as the client reads, a piece at a time.
    /// - Parameter repeatsKind: the items say what they are, as those of custom kinds do; else only the list says it.
    static func list(
        _ page: ObjectPage, kind: ResourceKind, form: AnswerForm, includeObject: String?, repeatsKind: Bool
    ) -> Response {
        var metadata: JSONValue = ["resourceVersion": .string(page.resourceVersion)]
        if let next = page.next { metadata["continue"] = .string(next) }
        if let remaining = page.remaining { metadata["remainingItemCount"] = .integer(Int64(remaining)) }
        if form == .table {
            var table = Table.make(page.items.map(kind.shown), kind: kind, resourceVersion: nil, include: includeObject)
            table["metadata"] = metadata
            return json(table)
        }
        let (name, version) = form == .metadata ? ("PartialObjectMetadataList", "meta.k8s.io/v1") : ("\(kind.kind)List", kind.apiVersion)
        let head = "{\"kind\":\"\(name)\",\"apiVersion\":\"\(version)\",\"metadata\":\(JSONWriter.text(metadata)),\"items\":["
        let body = ResponseBody { writer in
            var piece = Array(head.utf8)
            var isFirst = true
            for item in page.items {
                if !isFirst { piece.append(UInt8(ascii: ",")) }
                isFirst = false
                var object = kind.shown(item)
                if form == .metadata {
                    object = AnswerForm.metadata(of: object)
                } else if !repeatsKind {
                    object = object.withoutKind
                }
                JSONWriter.write(object, to: &piece)
                if piece.count > 64 << 10 {
                    try await writer.write(ByteBuffer(bytes: piece))
                    piece.removeAll(keepingCapacity: true)
                }
            }
            piece.append(contentsOf: "]}\n".utf8)
            try await writer.write(ByteBuffer(bytes: piece))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: contentType, body: body)
    }

    /// `Success`, with what it was about.
    static func success(_ key: ObjectKey, uid: String? = nil, status: HTTPResponse.Status = .ok) -> Response {
        var details: JSONValue = ["name": .string(key.name), "kind": .string(key.kind.plural)]
        if !key.kind.group.isEmpty { details["group"] = .string(key.kind.group) }
        if let uid { details["uid"] = .string(uid) }
        return json(
            [
                "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details,
                "code": .integer(Int64(status.code)),
            ], status: status)
    }
}

extension Object {
    /// Without what the list around it says.
    fileprivate var withoutKind: Object {
        guard var members = object else { return self }
        members["kind"] = nil
        members["apiVersion"] = nil
        return .object(members)
    }
}
