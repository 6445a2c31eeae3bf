import HTTPTypes
import Hummingbird

/// The two cookies of sign-in: which browser it is (forms and providers' answers are bound to it), and its session.
struct BrowserCookies: Sendable {
    let isSecure: Bool
    let sessionLifetime: Int

    // With the prefix no other host of the domain can set them.
    private var prefix: String { isSecure ? "__Host-orrery-" : "orrery-" }

    /// The browser of a request, or a new one with the cookie that makes it known.
    func browser(of request: Request) -> (token: OpaqueToken, cookie: String?) {
        if let known = knownBrowser(of: request) { return (known, nil) }
        let token = OpaqueToken.random()
        return (token, cookie("browser", token.text, maxAge: 400 * 86_400))
    }

    func knownBrowser(of request: Request) -> OpaqueToken? { value("browser", of: request) }

    func session(of request: Request) -> OpaqueToken? { value("session", of: request) }

    func settingSession(_ token: OpaqueToken) -> String { cookie("session", token.text, maxAge: sessionLifetime) }

    func endingSession() -> String { cookie("session", "", maxAge: 0) }

    private func cookie(_ name: String, _ value: String, maxAge: Int) -> String {
        // Lax: the browser comes from the command line's link and back from providers, which Strict would forget.
        "\(prefix)\(name)=\(value); Path=\(isSecure ? "/" : SignInPaths.prefix); Max-Age=\(maxAge); HttpOnly; SameSite=Lax"
            + (isSecure ? "; Secure" : "")
    }

    private func value(_ name: String, of request: Request) -> OpaqueToken? {
        let wanted = prefix + name
        for header in request.headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let pair = pair.split(separator: "=", maxSplits: 1)
                guard pair.count == 2, pair[0].drop(while: { $0 == " " }) == wanted, PKCE.isChallenge(String(pair[1])) else { continue }
                return OpaqueToken(String(pair[1]))
            }
        }
        return nil
    }
}
