import PlatformClients
import ServiceKit

/// How people log in; all of it is in every answer, because clients read it before anything else.
struct LoginSettings: Sendable {
    private let document: BootstrapDocument

    init(_ settings: Settings, publicURL: String) throws {
        var document = BootstrapDocument()
        document.authURL = try settings.string("oauth.auth.url", default: publicURL + "/auth/authorize")
        document.tokenURL = try settings.string("oauth.token.url", default: publicURL + "/auth/token")
        document.logoutURL = try settings.string("oauth.logout.url", default: publicURL + "/auth/logout")
        document.clientID = try settings.string("oauth.client.id", default: "apolo-cli")
        document.audience = try settings.string("oauth.audience", default: publicURL)
        document.headlessCallbackURL = try settings.string("oauth.headless.callback.url", default: publicURL + "/auth/show-code")
        document.callbackURLs = ["http://127.0.0.1:54540", "http://127.0.0.1:54541", "http://127.0.0.1:54542"]
        // Where the command line sends the browser afterwards: it is signed in to the pages of jobs then as well.
        let after = try settings.string("oauth.success.redirect.url", default: publicURL + "/oauth/login")
        document.successRedirectURL = after == "-" ? nil : after
        self.document = document
    }

    /// What anyone may know.
    var anonymous: BootstrapDocument { document }
}
