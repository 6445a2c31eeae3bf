import HTTPTypes
import ServiceKit

/// What this service says to people.
struct Pages: Sendable {
    /// The public origin.
    let origin: String
    /// Where the identity provider's sign-out page is.
    let logoutOrigin: String

    private var signIn: HTML { "<p><a href=\"\(origin)/oauth/login\">Sign in</a></p>" }
    private var again: HTML {
        "<p><a href=\"\(origin)/oauth/login\">Start again</a>, or open the page you wanted once more.</p>"
    }

    private var another: HTML { "<p><a href=\"\(origin)/oauth/logout\">Sign in with another account</a></p>" }

    // MARK: On the API host

    var signedIn: Page { Page(status: .ok, title: "You are signed in", body: "<p>You may close this window.</p>") }

    var loggedOut: Page {
        Page(
            status: .ok, title: "You are signed out",
            body: "<p>Pages that were opened before may still be shown by this browser; close them.</p>\(signIn)")
    }

    func logout(proof: String) -> Page {
        Page(
            status: .ok, title: "Sign out?",
            body: """
                <p>This ends your sign-in in this browser, also on the pages of jobs.</p>
                <form method="post" action="/oauth/logout"><input type="hidden" name="proof" value="\(proof)">
                <button type="submit">Sign out</button></form>
                """, formTargets: ["'self'", logoutOrigin])
    }

    func unprovenLogout(proof: String) -> Page {
        let page = logout(proof: proof)
        return Page(
            status: .forbidden, title: "Sign out?", body: "<p>This did not come from the page that asks. Please confirm:</p>\(page.body)",
            formTargets: page.formTargets)
    }

    var badTarget: Page {
        Page(
            status: .badRequest, title: "This link cannot be used",
            body: "<p>It is too old, or does not lead to a page of this platform. Open the page you wanted once more.</p>")
    }

    var lostSignIn: Page {
        Page(
            status: .badRequest, title: "Signing in did not work",
            body: "<p>Cookies are blocked, the sign-in took too long, or this address was opened a second time.</p>\(again)")
    }

    var unknownUser: Page {
        Page(
            status: .forbidden, title: "No account here",
            body: "<p>You signed in, but this platform has no account for you. Ask its administrator.</p>\(another)")
    }

    /// The identity provider said no.
    func refused(_ error: String, _ description: String?) -> Page {
        let isDenial = ["access_denied", "unauthorized", "unauthorized_client", "login_required", "consent_required"].contains(error)
        return Page(
            status: isDenial ? .forbidden : .badRequest, title: "Signing in was refused",
            body: "<p>\((description ?? error).prefix(500))</p>\(again)")
    }

    var unavailable: Page {
        Page(
            status: .serviceUnavailable, title: "Not now", body: "<p>Signing in does not work at the moment. Try again shortly.</p>\(again)"
        )
    }

    func goingRound(_ host: HostName) -> Page {
        Page(
            status: .badRequest, title: "Your browser keeps no cookie there",
            body: """
                <p>You were signed in several times within a minute for a page of <strong>\(host.text)</strong>, but it never got the
                cookie that it was sent. Allow cookies for that address, wait a minute, and open the page once more.</p>
                """)
    }

    // MARK: The code for the command line

    /// A code has this alphabet and length; anything else was not made by an identity provider.
    func code(_ code: String?, error: String?, description: String?) -> Page {
        if let error { return refused(error, description) }
        guard let code, (1...1024).contains(code.utf8.count),
            code.utf8.allSatisfy({ Base64URL.isOfAlphabet($0) || ".~+/=".utf8.contains($0) })
        else { return Page(status: .badRequest, title: "No code", body: "<p>This address shows the code of a sign-in, and got none.</p>") }
        return Page(
            status: .ok, title: "Your code",
            body: "<p>Copy it into the terminal that asked you to sign in.</p>\n<code>\(code)</code>")
    }

    // MARK: On protected hosts

    func forbidden(_ principal: String?) -> Page {
        let who: HTML = principal.map { "Your account, <strong>\($0)</strong>, has" } ?? "You have"
        return Page(
            status: .forbidden, title: "No access",
            body: "<p>\(who) no access to this page.</p>\(another)")
    }

    var foreignHost: Page { Page(status: .forbidden, title: "No access", body: "<p>This platform has no such page.</p>") }

    var foreignOrigin: Page {
        Page(status: .forbidden, title: "No access", body: "<p>Another site's page sent this request.</p>")
    }

    func malformed(_ sentence: String) -> Page { Page(status: .badRequest, title: "Bad request", body: "<p>\(sentence)</p>") }

    /// - Parameter signIn: sends a visitor to sign in; what it sets takes the place of one of the two.
    func ambiguousCookies(signIn: String) -> Page {
        Page(
            status: .badRequest, title: "Two sign-ins at once",
            body: """
                <p>Your browser sent two different sign-ins for this page. <a href="\(signIn)">Sign in again</a>, or delete this site's cookies.</p>
                """)
    }

    var lostReturn: Page {
        Page(
            status: .badRequest, title: "Signing in did not work",
            body: "<p>This way back was used before, took too long, or began in another browser.</p><p><a href=\"/\">Start again</a></p>")
    }

    /// In a frame of another site a browser keeps no cookie of ours.
    func framed(_ url: String) -> Page {
        Page(
            status: .unauthorized, title: "Sign in",
            body: """
                <p>This page needs you to sign in, which cannot be done inside another site. \
                <a href="\(url)" target="_blank" rel="noopener">Open it in a window of its own</a>.</p>
                """,
            mayBeFramed: true)
    }

    var away: Page {
        Page(status: .serviceUnavailable, title: "Not now", body: "<p>Access cannot be checked at the moment. Try again shortly.</p>")
    }

    var tooMany: Page { Page(status: .tooManyRequests, title: "Too many requests", body: "<p>Wait a few seconds and try again.</p>") }
}
