/// The documentation of an API as one page, without scripts.
struct DocumentationPage: Sendable {
    private static let style: HTML = """
        <style>body{font:1rem/1.5 system-ui,sans-serif;max-width:56rem;margin:3rem auto;padding:0 1.25rem;color:#1b1f24;background:#fff}\
        h1{font-size:1.5rem}h2{font:600 1rem/1.5 ui-monospace,monospace;margin:2.5rem 0 .25rem;overflow-wrap:anywhere}\
        h3{font-size:1rem;margin:1rem 0 .25rem}a{color:#0b57c2}code{font-family:ui-monospace,monospace}\
        table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;\
        border-bottom:1px solid #d5dae0}th{font-weight:600}:focus-visible{outline:3px solid;outline-offset:2px}\
        @media(prefers-color-scheme:dark){body{color:#e6e9ec;background:#14171a}th,td{border-color:#333a42}a{color:#8ab8ff}}</style>
        """

    let title: String
    let routes: [(RouteDescription, DocumentedRoute)]
    let objects: [DocumentedObject]

    var html: HTML {
        .document(
            title: title, head: Self.style,
            body: """
                <p>Who is asked for sends <code>Authorization: Bearer &lt;token&gt;</code>. The same as
                <a href="swagger.json">OpenAPI 2.0</a>, for programs.</p>
                \(.joined(routes.map(Self.section)))
                \(.joined(objects.map(Self.section)))
                """)
    }

    private static func section(_ route: RouteDescription, _ documented: DocumentedRoute) -> HTML {
        let access = route.access == .anyone ? "For anybody." : "For who has a token."
        return """
            <section><h2>\(documented.route)</h2>
            <p>\(documented.summary) \(access)</p>
            \(fields("Parameters", documented.parameters, isRequired: "required"))
            \(fields("Body, a JSON object", documented.body, isRequired: "required"))
            <h3>Answers</h3>
            <table><tr><th>Status</th><th>When</th><th>Body</th></tr>
            \(.joined(documented.answers.map(row)))</table></section>

            """
    }

    private static func section(_ object: DocumentedObject) -> HTML {
        "<section id=\"\(object.name)\"><h2>\(object.name)</h2>\(fields("Members", object.fields, isRequired: "never null"))</section>\n"
    }

    private static func fields(_ heading: String, _ fields: [DocumentedField], isRequired: String) -> HTML? {
        guard !fields.isEmpty else { return nil }
        let rows = fields.map { field -> HTML in
            let kind: String = (field.kind.format ?? field.kind.type) + (field.isRequired ? ", \(isRequired)" : "")
            return "<tr><td><code>\(field.name)</code></td><td>\(kind)</td><td>\(field.text)</td></tr>\n"
        }
        return "<h3>\(heading)</h3>\n<table><tr><th>Name</th><th>Type</th><th>Meaning</th></tr>\n\(.joined(rows))</table>"
    }

    private static func row(_ answer: DocumentedRoute.Answer) -> HTML {
        let content: HTML =
            switch answer.content {
            case .nothing: "none"
            case .text: "text"
            case .object(let name): "<a href=\"#\(name)\">\(name)</a>"
            case .list(let name): "list of <a href=\"#\(name)\">\(name)</a>"
            }
        return "<tr><td>\(answer.status)</td><td>\(answer.text)</td><td>\(content)</td></tr>\n"
    }
}
