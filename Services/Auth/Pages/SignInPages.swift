import HTTPTypes
import ServiceKit

/// A provider that the sign-in page offers.
struct ProviderLink: Sendable {
    let name: String
    let url: String
}

extension Page {
    static func signIn(
        formToken: String, returnTo: ReturnTarget, login: String = "", providers: [ProviderLink], problem: String? = nil,
        status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Page {
        let links = HTML.joined(providers.map { "<a class=\"button\" href=\"\($0.url)\">Sign in with \($0.name)</a>\n" })
        let others: HTML = providers.isEmpty ? "" : "<hr>\n\(links)"
        let described: HTML = problem == nil ? "" : " aria-invalid=\"true\" aria-describedby=\"problem\""
        return Page(
            title: "Sign in",
            body: """
                \(alert(problem))
                <form method="post" action="\(SignInPaths.signIn)">
                \(hidden(formToken, returnTo))
                <label for="login">User name or e-mail</label>
                <input id="login" name="login" value="\(login)" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="254" required autofocus\(described)>
                <label for="password">Password</label>
                <input id="password" name="password" type="password" autocomplete="current-password" required\(described)>
                <button type="submit">Sign in</button>
                </form>
                \(others)
                """,
            status: status, headers: headers)
    }

    /// The way on from a form, in a navigation of its own: browsers apply the form's policy to every step of a redirect, and where a
    /// client leads on to, the client alone knows.
    static func onward(to target: ReturnTarget) -> Page {
        Page(
            title: "You are signed in",
            body: "<p role=\"status\">The page that you came for opens now. If it does not, <a href=\"\(target.path)\">continue</a>.</p>",
            headers: [.refresh: "0; url=\(target.path)"])
    }

    static func account(name: String, email: String?, provider: String?, hasPassword: Bool, formToken: String, changed: Bool) -> Page {
        let change: HTML = hasPassword ? "<p><a href=\"\(SignInPaths.password)\">Change the password</a></p>" : ""
        let notice: HTML = changed ? "<p role=\"status\">The password was changed. Other sessions have ended.</p>" : ""
        let (address, way) = (email.map { " (\($0))" } ?? "", provider.map { " through \($0)" } ?? "")
        return Page(
            title: "Your account",
            body: """
                \(notice)
                <p>Signed in as <strong>\(name)</strong>\(address)\(way).</p>
                \(change)
                <form method="get" action="\(SignInPaths.logout)"><button type="submit">Sign out</button></form>
                <form method="post" action="\(SignInPaths.everywhere)">
                \(hidden(formToken))
                <button class="quiet" type="submit">Sign out everywhere, on the command line too</button>
                </form>
                """)
    }

    static func changePassword(name: String, formToken: String, problem: String? = nil, status: HTTPResponse.Status = .ok) -> Page {
        Page(
            title: "Change the password",
            body: """
                \(alert(problem))
                <form method="post" action="\(SignInPaths.password)">
                \(hidden(formToken))
                <input name="login" value="\(name)" autocomplete="username" hidden>
                <label for="current">Present password</label>
                <input id="current" name="current" type="password" autocomplete="current-password" required autofocus>
                \(newPassword)
                <button type="submit">Change the password</button>
                </form>
                <p><a href="\(SignInPaths.account)">Back</a></p>
                """,
            status: status)
    }

    static func invitation(
        name: String, token: String, formToken: String, problem: String? = nil, status: HTTPResponse.Status = .ok
    ) -> Page {
        Page(
            title: "Choose a password",
            body: """
                <p>You are invited to this platform as <strong>\(name)</strong>.</p>
                \(alert(problem))
                <form method="post" action="\(SignInPaths.invitation)">
                \(hidden(formToken))
                <input type="hidden" name="token" value="\(token)">
                <input name="login" value="\(name)" autocomplete="username" hidden>
                \(newPassword)
                <button type="submit">Save and sign in</button>
                </form>
                """,
            status: status)
    }

    static func code(_ code: String) -> Page {
        Page(
            title: "Your sign-in code",
            body: """
                <p>Copy this code into the terminal that asks for it. It works once and for a few minutes.</p>
                <p><code class="code" id="code">\(code)</code></p>
                <p>Give it to nobody: whoever has it signs in as you.</p>
                """)
    }

    private static let newPassword: HTML = """
        <label for="password">New password</label>
        <input id="password" name="password" type="password" autocomplete="new-password" minlength="\(PasswordRules.minimum)" required aria-describedby="rules">
        <p class="hint" id="rules">At least \(PasswordRules.minimum) characters; a few words are better than a short riddle.</p>
        <label for="repeated">New password, once more</label>
        <input id="repeated" name="repeated" type="password" autocomplete="new-password" required>
        """

    private static func alert(_ problem: String?) -> HTML {
        problem.map { "<p class=\"error\" id=\"problem\" role=\"alert\">\($0)</p>" } ?? ""
    }

    private static func hidden(_ formToken: String, _ returnTo: ReturnTarget? = nil) -> HTML {
        """
        <input type="hidden" name="form_token" value="\(formToken)">\
        \(returnTo.map { "<input type=\"hidden\" name=\"return_to\" value=\"\($0.path)\">" as HTML })
        """
    }
}
