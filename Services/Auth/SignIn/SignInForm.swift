import HTTPTypes
import Hummingbird
import ServiceKit

/// A form that was sent by one of our own pages in the same browser.
struct SignInForm: Sendable {
    private let values: [String: String]

    static let bodyLimit = 16 << 10
    private static let purpose = "form"

    /// What a page puts into its forms: it follows from the browser's cookie, which other sites cannot read.
    static func token(for browser: OpaqueToken) -> String { browser.derived(for: purpose) }

    subscript(_ name: String) -> String { values[name] ?? "" }

    /// - Throws: ``PageError``.
    init(_ request: Request, browser: OpaqueToken?) async throws {
        if let site = request.headers[.fetchSite], !["same-origin", "none"].contains(site) {
            throw PageError(.forbidden, "The form was sent from another site.")
        }
        guard request.headers[.contentType]?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true else {
            throw PageError(.unsupportedMediaType, "The form was not sent as a form.")
        }
        let body = try await request.body.collect(upTo: Self.bodyLimit)
        guard let text = String(validating: body.readableBytesView, as: UTF8.self), let items = try? QueryItems(text) else {
            throw PageError(.badRequest, "The form cannot be read.")
        }
        values = Dictionary(items.items.map { ($0.name, $0.value) }) { first, _ in first }
        guard let browser else {
            throw PageError(.badRequest, "Your browser did not send the cookie that this page needs. Allow cookies, go back and try again.")
        }
        guard OpaqueToken.equal(values["form_token"] ?? "", Self.token(for: browser)) else {
            throw PageError(.forbidden, "This form is not valid any more. Go back, reload the page and try again.")
        }
    }
}
