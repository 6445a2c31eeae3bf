/// A value that a route takes or answers with.
public struct DocumentedField: Sendable {
    /// The types of OpenAPI 2.0 that the platform's APIs have.
    public enum Kind: Sendable {
        case string, integer, number, boolean
        /// ISO 8601 with an offset.
        case time
        /// A list of the objects of that name; of answers only.
        case objects(String)
    }

    let name: String
    let kind: Kind
    /// Of what is taken: must be there. Of what is answered: is never null.
    let isRequired: Bool
    let text: String

    /// Makes a field; `text` says what it means, with its unit.
    public init(_ name: String, _ kind: Kind, isRequired: Bool = false, _ text: String) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        self.text = text
    }
}

/// An object that routes answer with.
public struct DocumentedObject: Sendable {
    let name: String
    let fields: [DocumentedField]

    /// Makes an object.
    public init(_ name: String, _ fields: [DocumentedField]) {
        self.name = name
        self.fields = fields
    }

    /// The names of its members.
    public var names: [String] { fields.map(\.name) }
}

/// What the readers of the documentation are told of a route.
public struct DocumentedRoute: Sendable {
    /// What an answer's body holds.
    public enum Content: Sendable {
        case nothing
        case text
        /// The object of that name.
        case object(String)
        /// Objects of that name.
        case list(String)
    }

    /// An answer that is given.
    public struct Answer: Sendable {
        let status: Int
        let text: String
        let content: Content

        /// Makes an answer; `text` says when it is given.
        public init(_ status: Int, _ text: String, _ content: Content = .nothing) {
            self.status = status
            self.text = text
            self.content = content
        }
    }

    let route: String
    let summary: String
    let parameters: [DocumentedField]
    let body: [DocumentedField]
    let answers: [Answer]

    /// - Parameters:
    ///   - route: method and template as registered: `GET /api/v1/disk/{disk}`.
    ///   - summary: one sentence.
    ///   - parameters: those of the path, by the template's names, and of the query.
    ///   - body: the members of the JSON object that is sent; none is no body.
    ///   - answers: beside 401, which every route that asks for a caller gives.
    public init(
        _ route: String, _ summary: String, parameters: [DocumentedField] = [], body: [DocumentedField] = [], answers: [Answer]
    ) {
        self.route = route
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.answers = answers
    }
}
