/// A description of an API (OpenAPI 2.0, formerly Swagger).
struct OpenAPIDocument: Encodable, Sendable {
    struct Info: Encodable, Sendable {
        let title: String
        let version: String
    }

    struct Scheme: Encodable, Sendable {
        let type = "apiKey"
        let name = "Authorization"
        let `in` = "header"
        let description = "Bearer, a blank, and the platform's token"
    }

    struct Operation: Encodable, Sendable {
        let summary: String
        let parameters: [Parameter]
        let responses: [String: Answer]
        let security: [[String: [String]]]
    }

    struct Parameter: Encodable, Sendable {
        let name: String
        let `in`: String
        let required: Bool
        var description: String?
        var type: String?
        var format: String?
        var schema: Schema?
    }

    struct Answer: Encodable, Sendable {
        let description: String
        var schema: Schema?
    }

    struct Schema: Encodable, Sendable {
        var type: String?
        var format: String?
        var description: String?
        var required: [String]?
        var properties: [String: Schema]?
        var items: [String: String]?
        var reference: String?

        private enum CodingKeys: String, CodingKey {
            case type, format, description, required, properties, items
            case reference = "$ref"
        }
    }

    let swagger = "2.0"
    let info: Info
    let securityDefinitions = ["bearer": Scheme()]
    let paths: [String: [String: Operation]]
    let definitions: [String: Schema]

    init(title: String, version: String, routes: [(RouteDescription, DocumentedRoute)], objects: [DocumentedObject]) {
        info = Info(title: title, version: version)
        paths = routes.reduce(into: [:]) { paths, route in
            paths[Self.path(route.0), default: [:]][route.0.method.rawValue.lowercased()] = Operation(route.0, route.1)
        }
        definitions = Dictionary(uniqueKeysWithValues: objects.map { ($0.name, Schema($0.fields)) })
    }

    /// The template as OpenAPI has it, where a parameter is a name and nothing else.
    private static func path(_ route: RouteDescription) -> String {
        route.path.replacing("...}", with: "}").replacing("*}", with: "}")
    }
}

extension OpenAPIDocument.Operation {
    fileprivate init(_ route: RouteDescription, _ documented: DocumentedRoute) {
        let names = PathTemplate(route.path).names
        summary = documented.summary
        var parameters = documented.parameters.map { OpenAPIDocument.Parameter($0, isInPath: names.contains($0.name)) }
        if !documented.body.isEmpty {
            parameters.append(.init(name: "body", in: "body", required: true, schema: .init(documented.body)))
        }
        self.parameters = parameters
        var answers = documented.answers
        if route.access == .principal { answers.append(.init(401, "No token, or one that does not stand.", .text)) }
        responses = Dictionary(answers.map { ("\($0.status)", .init($0)) }) { first, _ in first }
        security = route.access == .anyone ? [] : [["bearer": []]]
    }
}

extension OpenAPIDocument.Parameter {
    fileprivate init(_ field: DocumentedField, isInPath: Bool) {
        self.init(
            name: field.name, in: isInPath ? "path" : "query", required: isInPath || field.isRequired, description: field.text,
            type: field.kind.type, format: field.kind.format)
    }
}

extension OpenAPIDocument.Answer {
    fileprivate init(_ answer: DocumentedRoute.Answer) {
        self.init(description: answer.text)
        switch answer.content {
        case .nothing: schema = nil
        case .text: schema = .init(type: "string")
        case .object(let name): schema = .init(reference: "#/definitions/\(name)")
        case .list(let name): schema = .init(type: "array", items: DocumentedField.Kind.objects(name).items)
        }
    }
}

extension OpenAPIDocument.Schema {
    fileprivate init(_ fields: [DocumentedField]) {
        let required = fields.filter(\.isRequired).map(\.name)
        self.init(
            type: "object", required: required.isEmpty ? nil : required,
            properties: Dictionary(
                uniqueKeysWithValues: fields.map {
                    ($0.name, .init(type: $0.kind.type, format: $0.kind.format, description: $0.text, items: $0.kind.items))
                }))
    }
}

extension DocumentedField.Kind {
    var type: String {
        switch self {
        case .string, .time: "string"
        case .integer: "integer"
        case .number: "number"
        case .boolean: "boolean"
        case .objects: "array"
        }
    }

    var format: String? {
        switch self {
        case .integer: "int64"
        case .time: "date-time"
        case .string, .number, .boolean, .objects: nil
        }
    }

    var items: [String: String]? {
        guard case .objects(let name) = self else { return nil }
        return ["$ref": "#/definitions/\(name)"]
    }
}
